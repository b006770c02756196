import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { TlsError } from '../../src/errors.ts'
import { writeKeyStore, writeTrustStore } from '../../src/tls/pkcs12/write-pkcs12.ts'
import type { FileContent } from '../../src/tls/tls-files.ts'
import { loadTrust, type TrustSource, trustOptions } from '../../src/tls/trust.ts'
import { file, issuing, now, password, pem, root, server } from './authorities.ts'
import { Workbench, without } from './programs.ts'

const bench = new Workbench()
after(() => bench.remove())

const store = (content: Buffer): TrustSource => ({
  kind: 'pkcs12',
  ...file('trust.p12', content),
  password: password('secret1'),
})
const load = (source: TrustSource, crl: readonly FileContent[] = [], at = now) =>
  loadTrust(source, { crl, now: at, side: 'client' })
const loaded = (source: TrustSource) => load(source).certificates.map(String)
const refused = (source: TrustSource, message: RegExp, at = now) => {
  assert.throws(
    () => load(source, [], at),
    (error: unknown) => error instanceof TlsError && message.test(error.message),
  )
}

test('every certificate of a PEM bundle is trusted', () => {
  assert.deepEqual(loaded(pem('ca.pem', `# our roots\n${root.certificate}\n${issuing.certificate}`)), [
    root.certificate,
    issuing.certificate,
  ])
})

test('a Java trust store gives its trusted certificates', () => {
  const trusted = [
    { alias: 'a', certificate: root.certificate },
    { alias: 'b', certificate: issuing.certificate },
  ]
  assert.deepEqual(loaded(store(writeTrustStore(trusted, 'secret1'))), [root.certificate, issuing.certificate])
})

test('the chain of a key store is not taken for trust', () => {
  refused(
    store(writeKeyStore({ alias: 'x', ...server }, 'secret1')),
    /^trust\.p12: a key store without trusted certificates: .*keytool -importcert/,
  )
})

test('a bundle that expired as a whole is refused, one with a single expired root is not', () => {
  refused(
    pem('ca.pem', root.certificate),
    /^ca\.pem: every CA certificate in it has expired$/,
    new Date(now.getTime() + 3651 * 86_400_000),
  )
  const between = new Date(now.getTime() + 2000 * 86_400_000)
  assert.equal(load(pem('ca.pem', root.certificate + issuing.certificate), [], between).certificates.length, 2)
})

test('a key is no CA', () => refused(pem('ca.pem', root.key), /^ca\.pem: no certificate in it$/))

test('certificates without a key, as openssl exports them', { skip: without('openssl') }, async () => {
  bench.write('root.pem', root.certificate)
  await bench.line('openssl pkcs12 -export -nokeys -in root.pem -passout pass:secret1 -out nokeys.p12')
  assert.deepEqual(loaded(store(bench.read('nokeys.p12').content)), [root.certificate])
})

describe('revocation lists', { skip: without('openssl') }, () => {
  const list = async (name: string, ca: { certificate: string; key: string }) => {
    bench.write(`${name}.pem`, ca.certificate)
    bench.write(`${name}.key`, ca.key)
    bench.write(`${name}.index`, '')
    bench.write(`${name}.cnf`, `[ca]\ndefault_ca=x\n[x]\ndatabase=${name}.index\ndefault_md=sha256\n`)
    await bench.line(
      `openssl ca -gencrl -config ${name}.cnf -cert ${name}.pem -keyfile ${name}.key -crldays 2 -out ${name}.crl`,
    )
    return bench.read(`${name}.crl`).content
  }
  const both = pem('ca.pem', root.certificate + issuing.certificate)

  test('several in a file become one entry each, because Node reads only the first of an entry', async () => {
    const lists = [await list('root', root), await list('issuing', issuing)]
    const { revocations } = load(both, [file('all.crl', Buffer.concat(lists))])
    assert.equal(revocations.length, 2)
    assert.ok(revocations.every(({ pem: text }) => text.split('BEGIN').length === 2))
  })

  test('DER is taken as well', async () => {
    await list('root', root)
    await bench.line('openssl crl -in root.crl -outform der -out root.der')
    assert.equal(
      load(pem('ca.pem', root.certificate), [file('root.der', bench.read('root.der').content)]).revocations.length,
      1,
    )
  })

  test('a CA without a list is named, since OpenSSL would refuse everybody below it', async () => {
    const rootList = file('root.crl', await list('root', root))
    assert.throws(() => load(both, [rootList]), /^TlsError: ca\.pem: crl has no list of O=vkitm, CN=Test Issuing/)
  })

  test('with lists a chain must reach its root; without, what is trusted is trusted', async () => {
    const rootList = file('root.crl', await list('root', root))
    const source = pem('ca.pem', root.certificate)
    assert.equal(trustOptions(load(source, [rootList])).allowPartialTrustChain, undefined)
    assert.equal(trustOptions(load(source, [])).allowPartialTrustChain, true)
  })

  test('something else in a list file is refused by name', () => {
    for (const content of [
      root.certificate,
      '',
      '\x30\x05hello',
      '-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n',
    ]) {
      assert.throws(
        () => load(both, [file('x.crl', Buffer.from(content, 'latin1'))]),
        (error: unknown) => error instanceof TlsError && error.message.startsWith('x.crl: '),
      )
    }
  })
})
