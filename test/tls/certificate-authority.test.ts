import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, test } from 'node:test'
import { createRoot, issueClient, issueServer } from '../../src/tls/certificate-authority.ts'
import { subjectOf } from '../../src/tls/distinguished-name.ts'
import { client, issuing, now, root, server } from './authorities.ts'
import { Workbench, without } from './programs.ts'

const bench = new Workbench()
after(() => bench.remove())

const parsed = (issued: { certificate: string }) => new X509Certificate(issued.certificate)

test('each certificate is signed by the one above and served with it, the root stays at home', () => {
  assert.ok(parsed(root).verify(parsed(root).publicKey))
  assert.ok(parsed(issuing).verify(parsed(root).publicKey))
  assert.ok(parsed(server).verify(parsed(issuing).publicKey))
  assert.deepEqual(server.chain, [server.certificate, issuing.certificate])
  assert.deepEqual(issueServer(root, { names: ['a.example'], now }).chain.length, 1)
})

test('a server answers to its names and addresses and to no other', () => {
  const certificate = parsed(server)
  assert.equal(certificate.subjectAltName, 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1')
  assert.equal(certificate.checkHost('localhost'), 'localhost')
  assert.equal(certificate.checkHost('localhost.evil'), undefined)
  assert.equal(certificate.checkIP('::1'), '::1')
})

test('servers and clients may do nothing else, and CAs may issue', () => {
  assert.deepEqual([parsed(server).keyUsage, parsed(client).keyUsage], [['1.3.6.1.5.5.7.3.1'], ['1.3.6.1.5.5.7.3.2']])
  assert.deepEqual(
    [root, issuing, server, client].map(issued => parsed(issued).ca),
    [true, true, false, false],
  )
  assert.throws(() => issueClient(server, { subject: 'CN=x', now }), /not a CA/)
})

test('nothing outlives its issuer, and serial numbers are positive and not repeated', () => {
  const short = createRoot({ subject: 'CN=Short', now, days: 10 })
  const leaf = parsed(issueServer(short, { names: ['x'], now, days: 365 }))
  assert.equal(leaf.validTo, parsed(short).validTo)
  const serials = Array.from({ length: 50 }, () => parsed(issueClient(short, { subject: 'CN=x', now })).serialNumber)
  assert.equal(new Set(serials).size, 50)
  assert.ok(serials.every(serial => /^[4-7][0-9A-F]{31}$/.test(serial)))
})

test('a subject is written as it will be read, whatever it holds', () => {
  for (const subject of [
    'CN=alice',
    'CN=a\\, b\\+c\\\\d\\"\\#,OU=x+UID=7,O=日本',
    'CN=\\ x\\ ',
    'CN=x,DC=example,DC=org,C=DE',
  ]) {
    assert.equal(subjectOf(parsed(issueClient(root, { subject, now })).raw), subject)
  }
  assert.equal(subjectOf(parsed(issueClient(root, { subject: ' cn = a b , o=\\c3\\bc ', now })).raw), 'CN=a b,O=ü')
})

test('a subject that cannot be meant is refused', () => {
  for (const subject of ['', 'alice', 'CN=', 'CN=a,', 'EMAIL=a@b', 'CN=a,,O=b', ',CN=a']) {
    assert.throws(() => issueClient(root, { subject, now }), /write it as CN=name,OU=team/, subject)
  }
  assert.throws(() => issueServer(root, { names: [], now }), /needs a DNS name/)
})

test('OpenSSL agrees, strictly', { skip: without('openssl') }, async () => {
  for (const [name, { certificate }] of Object.entries({ root, issuing, server, client }))
    bench.write(`${name}.pem`, certificate)
  const verify = 'openssl verify -x509_strict -check_ss_sig -CAfile root.pem -untrusted issuing.pem -purpose'
  assert.match(await bench.line(`${verify} sslserver -verify_hostname localhost server.pem`), /server\.pem: OK/)
  assert.match(await bench.line(`${verify} sslclient client.pem`), /client\.pem: OK/)
  await assert.rejects(bench.line(`${verify} sslserver client.pem`), /unsuitable certificate purpose/)
})

test('certificates beyond 2049 and with RSA', { skip: without('openssl') }, async () => {
  const far = createRoot({ subject: 'CN=Far', now, days: 36_500, keyType: 'RSA-2048' })
  bench.write('far.pem', far.certificate)
  assert.match(await bench.line('openssl verify -x509_strict -CAfile far.pem far.pem'), /OK/)
  assert.equal(new Date(parsed(far).validTo).getTime(), Math.floor((now.getTime() + 36_500 * 86_400_000) / 1000) * 1000)
})
