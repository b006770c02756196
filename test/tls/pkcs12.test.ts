import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { TlsError } from '../../src/errors.ts'
import { readPkcs12 } from '../../src/tls/pkcs12/read-pkcs12.ts'
import { writeKeyStore, writeTrustStore } from '../../src/tls/pkcs12/write-pkcs12.ts'
import { decode, encode, integer, parts } from '../../src/tls/pki.ts'
import { client, issuing, root, server } from './authorities.ts'
import { Workbench, without } from './programs.ts'

const bench = new Workbench()
after(() => bench.remove())

const PASSWORD = 'chang€it-ä'
const open = (content: Buffer, password: string) => readPkcs12({ path: 'store.p12', content, password })
const subjects = (certificates: readonly { certificate: X509Certificate }[]) =>
  certificates.map(({ certificate }) => certificate.subject.split('\n').at(-1))

function refusal(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    assert.ok(error instanceof TlsError, `a ${String(error)} is no TlsError`)
    return error.message
  }
  assert.fail('it was accepted')
}

describe('what we write we read', () => {
  test('a key store keeps key, chain and alias', () => {
    const { keys, certificates } = open(writeKeyStore({ alias: 'gateway', ...server }, PASSWORD), PASSWORD)
    assert.equal(keys.length, 1)
    assert.equal(keys[0]?.alias, 'gateway')
    assert.equal(keys[0]?.key.export({ format: 'pem', type: 'pkcs8' }), server.key)
    assert.deepEqual(
      certificates.map(({ certificate }) => certificate.toString()),
      server.chain,
    )
    assert.equal(certificates[0]?.localKeyId, keys[0]?.localKeyId)
    assert.ok(certificates.every(({ trusted }) => !trusted))
  })

  test('a trust store marks every certificate as Java does', () => {
    const { keys, certificates } = open(
      writeTrustStore([{ alias: 'ca', certificate: root.certificate }], PASSWORD),
      PASSWORD,
    )
    assert.equal(keys.length, 0)
    assert.deepEqual(
      certificates.map(({ trusted, alias }) => ({ trusted, alias })),
      [{ trusted: true, alias: 'ca' }],
    )
  })
})

describe('what is wrong with a file is said', () => {
  const store = writeKeyStore({ alias: 'gateway', ...server }, PASSWORD)

  test('another password', () => {
    assert.match(
      refusal(() => open(store, 'another')),
      /^store\.p12: the password does not open/,
    )
  })

  test('the password appears in no message', () => {
    assert.doesNotMatch(
      refusal(() => open(store, 'sesame-open')),
      /sesame/,
    )
  })

  test('every byte of a store that is changed is noticed, or changes nothing that matters', () => {
    const original = open(store, PASSWORD)
    for (let at = 0; at < store.length; at += 31) {
      const changed = Buffer.from(store)
      changed[at]! ^= 0x41
      try {
        const { keys, certificates } = open(changed, PASSWORD)
        assert.deepEqual(
          keys.map(({ key }) => key.export({ format: 'jwk' })),
          original.keys.map(({ key }) => key.export({ format: 'jwk' })),
        )
        assert.deepEqual(
          certificates.map(({ certificate }) => certificate.raw),
          original.certificates.map(({ certificate }) => certificate.raw),
        )
      } catch (error) {
        assert.ok(error instanceof TlsError, `byte ${at}: ${String(error)}`)
      }
    }
  })

  test('a file cut short at any byte is refused', () => {
    for (let length = 0; length < store.length; length += 13) refusal(() => open(store.subarray(0, length), PASSWORD))
  })

  test('more than a million iterations are refused before the first', () => {
    const pfx = decode(store)
    const macData = parts(parts(pfx)[2])
    macData[2] = integer(1_000_001)
    const started = process.hrtime.bigint()
    assert.match(
      refusal(() => open(encode(pfx), PASSWORD)),
      /1000001 key-stretching iterations/,
    )
    assert.ok(process.hrtime.bigint() - started < 200_000_000n)
  })

  test('a Java key store gets the line that converts it', () => {
    const jks = Buffer.from('feedfeed00000002', 'hex')
    assert.match(
      refusal(() => readPkcs12({ path: "it's.jks", content: jks, password: '' })),
      /JKS.*\n {2}keytool -importkeystore -srckeystore 'it'\\''s\.jks' -srcstoretype JKS -destkeystore .* -deststoretype PKCS12/,
    )
  })

  test('a PEM file is not called damaged', () => {
    assert.match(
      refusal(() => open(Buffer.from(root.certificate), '')),
      /PEM, not PKCS#12/,
    )
  })
})

describe('files made by keytool', { skip: without('keytool', 'openssl') }, () => {
  const secret = '-storepass secret1 -storetype PKCS12 -keystore'

  test('a key store with a P-256 and one with an RSA key', async () => {
    for (const [name, algorithm] of [
      ['ec', 'EC -groupname secp256r1'],
      ['rsa', 'RSA -keysize 2048'],
    ]) {
      await bench.line(`keytool -genkeypair -alias own -keyalg ${algorithm} -dname CN=${name} ${secret} ${name}.p12`)
      const { keys, certificates } = open(bench.read(`${name}.p12`).content, 'secret1')
      assert.equal(keys[0]?.alias, 'own')
      assert.equal(keys[0]?.key.asymmetricKeyType, name)
      assert.deepEqual(subjects(certificates), [`CN=${name}`])
      assert.ok(certificates[0]?.certificate.checkPrivateKey(keys[0]!.key))
    }
  })

  test('a trust store, whose entries node itself does not see', async () => {
    bench.write('root.pem', root.certificate)
    bench.write('issuing.pem', issuing.certificate)
    for (const alias of ['root', 'issuing']) {
      await bench.line(`keytool -importcert -noprompt -alias ${alias} -file ${alias}.pem ${secret} trust.p12`)
    }
    const { keys, certificates } = open(bench.read('trust.p12').content, 'secret1')
    assert.equal(keys.length, 0)
    assert.deepEqual(certificates.map(({ alias, trusted }) => `${alias} ${trusted}`).sort(), [
      'issuing true',
      'root true',
    ])
    assert.deepEqual(subjects(certificates).sort(), ['CN=Test Issuing', 'CN=Test Root'])
  })

  test('a wrong password of a Java file is told apart', async () => {
    assert.match(
      refusal(() => open(bench.read('trust.p12').content, 'secret2')),
      /the password does not open/,
    )
  })

  test('the older protection of Java 8: triple DES and RC2', async () => {
    const older = '-J-Dkeystore.pkcs12.legacy'
    await bench.line(`keytool ${older} -genkeypair -alias own -keyalg EC -dname CN=old ${secret} old.p12`)
    const { path, content } = bench.read('old.p12')
    const message = refusal(() => readPkcs12({ path, content, password: 'secret1' }))
    assert.match(message, /encrypted with 40-bit RC2/)
    // The printed line is run as it stands: new password twice, then the old one.
    const line = message
      .split('\n')
      .find(text => text.includes('keytool'))!
      .trim()
    await bench.run('sh', ['-c', line], 'secret3\nsecret3\nsecret1\n')
    assert.deepEqual(subjects(open(bench.read('old.p12.new.p12').content, 'secret3').certificates), ['CN=old'])
  })

  test('what we write is listed and used by Java', async () => {
    bench.write(
      'ours.p12',
      writeKeyStore({ alias: 'gateway', key: server.key, chain: [...server.chain, root.certificate] }, 'secret1'),
    )
    bench.write('ours-trust.p12', writeTrustStore([{ alias: 'my-root', certificate: root.certificate }], 'secret1'))
    const keyEntry = await bench.line(`keytool -list -v ${secret} ours.p12`)
    assert.match(keyEntry, /Alias name: gateway/)
    assert.match(keyEntry, /Entry type: PrivateKeyEntry/)
    assert.match(keyEntry, /Certificate chain length: 3/)
    assert.match(await bench.line(`keytool -list ${secret} ours-trust.p12`), /my-root, .*trustedCertEntry/)
    // Only who can open the key can sign with it.
    assert.match(
      await bench.line(`keytool -certreq -alias gateway ${secret} ours.p12`),
      /BEGIN NEW CERTIFICATE REQUEST/,
    )
  })
})

describe('files made by openssl', { skip: without('openssl') }, () => {
  const source = () => {
    bench.write('client.pem', client.chain.join(''))
    bench.write('client.key', client.key)
  }
  const exported = async (name: string, options: string, password = 'secret1') => {
    source()
    const how = `-inkey client.key -in client.pem -name alice ${options} -out ${name}`
    await bench.run('openssl', ['pkcs12', '-export', ...how.split(/\s+/), '-passout', `pass:${password}`])
    return bench.read(name)
  }
  const protections = {
    'the defaults of OpenSSL 3 (AES-256, HMAC-SHA-256)': '',
    'triple DES with an HMAC-SHA-1': '-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1',
    'two-key triple DES': '-keypbe PBE-SHA1-2DES -certpbe PBE-SHA1-2DES',
    'AES-128 and HMAC-SHA-512': '-keypbe AES-128-CBC -certpbe AES-128-CBC -macalg sha512',
    'a key that is encrypted and certificates that are not': '-certpbe NONE',
    'nothing encrypted at all': '-certpbe NONE -keypbe NONE',
    'no MAC': '-nomac',
  }
  for (const [name, options] of Object.entries(protections)) {
    test(name, async () => {
      const { keys, certificates } = open((await exported('openssl.p12', options)).content, 'secret1')
      assert.equal(keys[0]?.key.export({ format: 'pem', type: 'pkcs8' }), client.key)
      assert.equal(keys[0]?.alias, 'alice')
      assert.equal(certificates.length, 2)
    })
  }

  test('passwords beyond ASCII, and none', async () => {
    for (const password of ['pässwörd €', '']) {
      const { content } = await exported('odd.p12', '', password)
      assert.equal(open(content, password).keys.length, 1)
      refusal(() => open(content, `${password}x`))
    }
  })

  test('RC2 is refused with an openssl line that works', async () => {
    const { path, content } = await exported('legacy.p12', '-legacy')
    const message = refusal(() => readPkcs12({ path, content, password: 'secret1' }))
    const line = message
      .split('\n')
      .find(text => text.includes('openssl'))!
      .trim()
    await bench.run('sh', ['-c', `${line} -passin pass:secret1`])
    assert.equal(
      new X509Certificate(bench.read('legacy.p12.pem').content).subject,
      new X509Certificate(client.certificate).subject,
    )
  })

  test('openssl opens what we write', async () => {
    bench.write('ours.p12', writeKeyStore({ alias: 'alice', ...client }, 'secret1'))
    const printed = await bench.line('openssl pkcs12 -in ours.p12 -passin pass:secret1 -nodes -info')
    assert.match(printed, /friendlyName: alice/)
    assert.match(printed, /PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256/)
    assert.ok(printed.includes(client.key.trim()))
  })
})
