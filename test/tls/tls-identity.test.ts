import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { TlsError } from '../../src/errors.ts'
import { createRoot, issueClient, issueServer } from '../../src/tls/certificate-authority.ts'
import { writeKeyStore, writeTrustStore } from '../../src/tls/pkcs12/write-pkcs12.ts'
import { type IdentitySource, loadIdentity } from '../../src/tls/tls-identity.ts'
import { client, file, identityOf, now, password, root, server } from './authorities.ts'
import { Workbench, without } from './programs.ts'

const bench = new Workbench()
after(() => bench.remove())

const days = (count: number) => new Date(now.getTime() + count * 86_400_000)
const load = (source: IdentitySource, at = now) => loadIdentity(source, { purpose: 'server', now: at })
const refused = (source: IdentitySource, message: RegExp, at = now) => {
  assert.throws(
    () => load(source, at),
    (error: unknown) => {
      assert.ok(error instanceof TlsError, String(error))
      assert.match(error.message, message)
      return true
    },
  )
}
const parts = (certificate: string, key: string, keyPassword?: string): IdentitySource => ({
  kind: 'pem',
  certificate: file('gateway.pem', certificate),
  key: file('gateway.key', key),
  ...(keyPassword !== undefined && { keyPassword: password(keyPassword) }),
})
const encrypted = (secret: string, cipher = 'aes-256-cbc') =>
  createPrivateKey(server.key).export({ format: 'pem', type: 'pkcs8', cipher, passphrase: secret }) as string

test('a chain and its key from PEM files', () => {
  const identity = load(identityOf(server))
  assert.deepEqual(identity.chain.map(String), server.chain)
  assert.deepEqual(identity.contextOptions(), { cert: server.chain.join(''), key: server.key })
})

test('one file may hold both', () => {
  const both = file('both.pem', server.key + server.chain.join(''))
  assert.equal(load({ kind: 'pem', certificate: both, key: both }).chain.length, 2)
})

test('the same from a PKCS#12 store, put in order', () => {
  const [own, ca] = server.chain as [string, string]
  const content = writeKeyStore({ alias: 'x', key: server.key, chain: [own, root.certificate, ca] }, 'secret1')
  const identity = load({ kind: 'pkcs12', store: file('gateway.p12', content), password: password('secret1') })
  assert.deepEqual(identity.chain.map(String), [own, ca, root.certificate])
})

test('printing an identity shows no key', () => {
  assert.doesNotMatch(inspect(load(identityOf(server)), { depth: 9, showHidden: true }), /PRIVATE KEY/)
  assert.doesNotMatch(JSON.stringify(load(identityOf(server))), /PRIVATE/)
})

describe('an encrypted key', () => {
  test('opens with keyPassword', () => {
    assert.equal(load(parts(server.certificate, encrypted('sesame'), 'sesame')).contextOptions().key, server.key)
  })
  test('asks for keyPassword where there is none', () => {
    refused(
      parts(server.certificate, encrypted('sesame')),
      /^gateway\.key: it is encrypted: give its password as keyPassword$/,
    )
  })
  test('says that the password is another one, and not which', () => {
    refused(parts(server.certificate, encrypted('sesame'), 'guessed'), /^gateway\.key: keyPassword does not open it$/)
  })
  test('in the forms of openssl: traditional, and PKCS#8 with triple DES', { skip: without('openssl') }, async () => {
    bench.write('own.key', server.key)
    await bench.line('openssl ec -in own.key -aes128 -passout pass:sesame -out traditional.key')
    await bench.line('openssl pkcs8 -topk8 -in own.key -v1 PBE-SHA1-3DES -passout pass:sesame -out des.key')
    for (const name of ['traditional.key', 'des.key']) {
      const source = parts(server.certificate, bench.read(name).content.toString(), 'sesame')
      assert.equal(load(source).contextOptions().key, server.key)
      refused(parts(server.certificate, bench.read(name).content.toString(), 'sesamo'), /keyPassword does not open it/)
    }
    const traditional = bench.read('traditional.key').content.toString()
    for (let guess = 0; guess < 2_000; guess++) {
      refused(parts(server.certificate, traditional, `guess${guess}`), /^gateway\.key: keyPassword does not open it$/)
    }
  })
})

describe('what does not fit together is named', () => {
  test('a key of another certificate', () => {
    refused(
      parts(server.certificate, client.key),
      /^gateway\.key: not the private key of the first certificate in gateway\.pem$/,
    )
  })
  test('an issuer before the own certificate', () => {
    refused(
      parts([...server.chain].reverse().join(''), server.key),
      /^gateway\.pem: certificate 2 is the key's own: it must come first/,
    )
  })
  test('a chain with a stranger in it', () => {
    refused(
      parts(server.certificate + root.certificate, server.key),
      /^gateway\.pem: certificate 2 \(O=vkitm, CN=Test Root\) did not issue the one before it \(CN=localhost\)/,
    )
  })
  test('expired, not valid yet, and an issuer that expires first', () => {
    refused(identityOf(server), /^own\.pem: CN=localhost expired on .*: renew it$/, days(398))
    refused(identityOf(server), /^own\.pem: CN=localhost is not valid before/, days(-1))
    const short = createRoot({ subject: 'CN=Short', now, days: 10 })
    const leaf = issueServer(short, { names: ['localhost'], now, days: 30 })
    refused(identityOf(leaf), /expired on/, days(11))
  })
  test('a client certificate where a server is wanted, and the reverse', () => {
    refused(identityOf(client), /^own\.pem: not issued for use as a server/)
    assert.throws(() => loadIdentity(identityOf(server), { purpose: 'client', now }), /not issued for use as a client/)
    assert.equal(loadIdentity(identityOf(client), { purpose: 'client', now }).chain.length, 2)
  })
  test('an RSA key of 1,024 bits', { skip: without('openssl') }, async () => {
    await bench.line('openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=weak -days 2 -keyout weak.key -out weak.pem')
    const [certificate, key] = ['weak.pem', 'weak.key'].map(name => bench.read(name).content.toString()) as [
      string,
      string,
    ]
    refused(parts(certificate, key), /^gateway\.pem: OpenSSL refuses it \(.*ee key too small/, new Date())
  })
})

describe('files that hold something else', () => {
  const secret = password('secret1')
  test('no key, no certificate, two keys', () => {
    refused(parts(server.certificate, server.certificate), /^gateway\.key: no private key in it$/)
    refused(parts(server.key, server.key), /^gateway\.pem: no certificate in it$/)
    refused(parts(server.certificate, server.key + client.key), /^gateway\.key: holds 2 private keys: keep one$/)
    refused(parts('', server.key), /^gateway\.pem: no PEM block in it$/)
  })
  test('a damaged certificate', () => {
    const broken = server.certificate.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA')
    refused(parts(broken, server.key), /^gateway\.pem: certificate 1 of 1 cannot be read$|not the private key/)
    refused(parts(server.certificate.slice(0, 200), server.key), /^gateway\.pem: a PEM block begins and does not end/)
  })
  test('PKCS#12 or DER where PEM is expected', () => {
    const p12 = writeKeyStore({ alias: 'x', ...server }, 'secret1')
    const source: IdentitySource = { kind: 'pem', certificate: file('x.p12', p12), key: file('x.key', server.key) }
    refused(source, /^x\.p12: binary, not PEM\. Where it is PKCS#12, write \{pkcs12: x\.p12, password: …\}/)
  })
  test('a trust store where a key store is expected', () => {
    const store = writeTrustStore([{ alias: 'ca', certificate: root.certificate }], 'secret1')
    refused(
      { kind: 'pkcs12', store: file('trust.p12', store), password: secret },
      /^trust\.p12: no private key in it: a trust store/,
    )
  })
  test('a key store whose certificate is of another key', () => {
    const store = writeKeyStore({ alias: 'x', key: client.key, chain: server.chain }, 'secret1')
    refused(
      { kind: 'pkcs12', store: file('odd.p12', store), password: secret },
      /^odd\.p12: no certificate in it belongs to its private key$/,
    )
  })
  test('a key store with two keys, with their aliases', { skip: without('keytool') }, async () => {
    for (const alias of ['first', 'second']) {
      await bench.line(
        `keytool -genkeypair -alias ${alias} -keyalg EC -dname CN=${alias} -storepass secret1 -keystore two.p12`,
      )
    }
    const { path, content } = bench.read('two.p12')
    refused(
      { kind: 'pkcs12', store: { path, content }, password: secret },
      /holds 2 private keys \(first, second\).*-srcalias ALIAS/,
    )
  })
})

test('Ed25519 and RSA-PSS keys are read too', { skip: without('openssl') }, async () => {
  for (const algorithm of ['ed25519', 'rsa-pss']) {
    const name = `${algorithm}.pem`
    await bench.line(
      `openssl req -x509 -newkey ${algorithm} -nodes -subj /CN=x -days 2 -keyout ${name}.key -out ${name}`,
    )
    const source: IdentitySource = { kind: 'pem', certificate: bench.read(name), key: bench.read(`${name}.key`) }
    assert.equal(load(source, new Date()).certificate.publicKey.asymmetricKeyType, algorithm)
  }
})

test('RSA on request', () => {
  const rsaRoot = createRoot({ subject: 'CN=RSA', now, keyType: 'RSA-2048' })
  const issued = issueClient(rsaRoot, { subject: 'CN=bob', now, keyType: 'RSA-2048' })
  const { certificate } = loadIdentity(identityOf(issued), { purpose: 'client', now })
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 2048)
})
