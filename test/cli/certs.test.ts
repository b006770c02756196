import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../../src/cli/program.ts'
import { without } from '../tls/programs.ts'

const program = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const folders: string[] = []
after(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true })
})

let dir: string
beforeEach(() => {
  const parent = mkdtempSync(join(tmpdir(), 'vkitm-certs-'))
  folders.push(parent)
  dir = join(parent, 'ca')
})
afterEach(() => {
  const left = readdirSync(join(dir, '..'), { recursive: true }).filter(name => /\.tmp$|\.lock$/.test(String(name)))
  assert.deepEqual(left, [])
})

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** As a person runs it. */
function spawned(command: string, args: readonly string[], input: string): Ended {
  const all = [program, 'certs', command, ...args, '--dir', dir]
  return spawnSync(process.execPath, all, { encoding: 'utf8', input, timeout: 60_000 })
}

/** The same without a process of its own, which would take most of the time. The test runner writes buffers, not text. */
async function certs(command: string, args: readonly string[] = []): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  const restore = (['stdout', 'stderr'] as const).map(name => {
    const stream = process[name]
    const { write } = stream
    stream.write = ((chunk: unknown, ...more: []) => {
      if (typeof chunk !== 'string') return write.call(stream, chunk as Uint8Array, ...more)
      said[name] += chunk
      return true
    }) as typeof write
    return () => {
      stream.write = write
    }
  })
  try {
    return { status: await runCommand(['certs', command, ...args, '--dir', dir]), ...said }
  } finally {
    for (const each of restore) each()
  }
}

async function done(command: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await certs(command, args)
  assert.deepEqual([status, stderr], [0, ''], `certs ${command} ${args.join(' ')}\n${stdout}`)
  return stdout
}

const path = (name: string): string => join(dir, name)
const read = (name: string): Buffer => readFileSync(path(name))
const leafOf = (name: string): X509Certificate => new X509Certificate(read(name))

function openssl(...args: string[]): Ended {
  return spawnSync('openssl', args, { encoding: 'utf8', timeout: 60_000 })
}

const verify = (name: string, ...args: string[]): Ended =>
  openssl(
    'verify',
    '-x509_strict',
    ...args,
    '-CAfile',
    path('root.pem'),
    '-untrusted',
    path(`${name}.pem`),
    path(`${name}.pem`),
  )

describe('vkitm certs', () => {
  test('init makes a CA that openssl takes, with private keys for its owner alone', {
    skip: without('openssl'),
  }, async () => {
    await done('init', '--name', 'Acme, Inc')
    assert.equal(leafOf('root.pem').subject, 'CN=Acme\\, Inc root')
    for (const file of readdirSync(dir)) {
      const isPrivate = file.endsWith('.key') || file === 'authority.json'
      assert.equal(statSync(path(file)).mode & 0o777, isPrivate ? 0o600 : 0o644, file)
    }
    assert.equal(openssl('verify', '-x509_strict', '-CAfile', path('root.pem'), path('issuing.pem')).status, 0)
    assert.deepEqual(read('ca.pem'), Buffer.concat([read('root.pem'), read('issuing.pem')]))
    for (const ca of ['root', 'issuing']) {
      const printed = openssl('crl', '-in', path(`${ca}.crl`), '-noout', '-CAfile', path(`${ca}.pem`))
      assert.match(printed.stderr, /verify OK/)
    }
  })

  test('init overwrites nothing', async () => {
    await done('init')
    const before = read('root.key')
    const { status, stderr } = await certs('init')
    assert.equal(status, 1)
    assert.match(stderr, /root\.key is there already: choose another name, or move it away\n$/)
    assert.deepEqual(read('root.key'), before)
  })

  for (const rsa of [[], ['--rsa']]) {
    test(`issue: servers and clients that openssl takes for what they are ${rsa.join(' ')}`, {
      skip: without('openssl'),
    }, async () => {
      await done('init', ...rsa)
      await done('issue', 'gateway', '--san', 'kafka.example.com,10.0.0.1', '--san', '::1', ...rsa)
      await done(
        'issue',
        'alice',
        '--client',
        '--subject',
        'CN=alice,O=Acme',
        '--san',
        'uri:spiffe://acme/alice,email:a@acme.example',
        ...rsa,
      )
      assert.equal(verify('gateway', '-purpose', 'sslserver', '-verify_hostname', 'kafka.example.com').stderr, '')
      assert.equal(verify('gateway', '-purpose', 'sslserver', '-verify_ip', '::1').stderr, '')
      assert.equal(verify('alice', '-purpose', 'sslclient', '-verify_email', 'a@acme.example').stderr, '')
      assert.notEqual(verify('alice', '-purpose', 'sslserver').status, 0)
      assert.notEqual(verify('gateway', '-purpose', 'sslserver', '-verify_hostname', 'elsewhere.example').status, 0)
      assert.equal(leafOf('alice.pem').subjectAltName, 'URI:spiffe://acme/alice, email:a@acme.example')
      assert.equal(leafOf('gateway.pem').publicKey.asymmetricKeyType, rsa.length === 0 ? 'ec' : 'rsa')
      assert.equal(statSync(path('alice.key')).mode & 0o777, 0o600)
    })
  }

  test('issue refuses what would be no certificate, or somebody else’s file', async () => {
    await done('init')
    await done('issue', 'alice', '--client')
    const before = [read('alice.key'), read('alice.pem')]
    for (const [args, code, why] of [
      [['alice', '--client'], 1, /alice\.key is there already/],
      [['gateway'], 2, /needs --san/],
      [['root', '--client'], 1, /cannot be the name of a file/],
      [['../x', '--client'], 1, /cannot be the name of a file/],
      [['bob', '--client', '--days', '0'], 2, /--days is a number/],
      [['bob', '--client', '--subject', 'bob'], 1, /write it as CN=name/],
      [['gateway', '--san', 'two words'], 1, /is none: write a host name/],
      [['gateway', '--san', 'uri:x\u00e9'], 1, /is none: write a host name/],
      [[], 2, /one NAME/],
    ] as const) {
      const { status, stderr } = await certs('issue', args)
      assert.equal(status, code, args.join(' '))
      assert.match(stderr, why)
    }
    assert.deepEqual([read('alice.key'), read('alice.pem')], before)
    assert.equal(
      readdirSync(dir).some(file => /^(bob|gateway)/.test(file)),
      false,
    )
  })

  test('a folder without a CA says what to run', async () => {
    const { status, stderr } = await certs('issue', ['a', '--client'])
    assert.equal(status, 1)
    assert.match(stderr, /make one with vkitm certs init/)
  })

  test('renew keeps subject, names, use and key, or makes a new key', async () => {
    await done('init')
    await done('issue', 'gateway', '--san', 'kafka.example.com,10.0.0.1', '--days', '100')
    await done('issue', 'alice', '--client', '--subject', 'CN=alice,OU=a\\,b,O=Acme')
    const [gateway, alice, key] = [leafOf('gateway.pem'), leafOf('alice.pem'), read('gateway.key')]
    await done('renew', 'gateway')
    await done('renew', 'alice', '--new-key', '--days', '50')
    const [again, hers] = [leafOf('gateway.pem'), leafOf('alice.pem')]
    for (const [old, renewed] of [
      [gateway, again],
      [alice, hers],
    ] as const) {
      assert.notEqual(renewed.serialNumber, old.serialNumber)
      assert.deepEqual(
        [renewed.subject, renewed.subjectAltName, renewed.keyUsage],
        [old.subject, old.subjectAltName, old.keyUsage],
      )
    }
    assert.deepEqual(read('gateway.key'), key)
    assert.equal(hers.publicKey.equals(alice.publicKey), false)
    const daysOf = ({ validFrom, validTo }: X509Certificate) =>
      Math.round((Date.parse(validTo) - Date.parse(validFrom)) / 86_400_000)
    assert.deepEqual([daysOf(again), daysOf(hers)], [100, 50])
    await done('show')
  })

  test('revoke enters a certificate in the list of its CA, once, and openssl reads it there', {
    skip: without('openssl'),
  }, async () => {
    await done('init')
    await done('issue', 'alice', '--client')
    await done('issue', 'bob', '--client')
    const copy = path('alice-copy.pem')
    writeFileSync(copy, read('alice.pem'))
    await done('renew', 'alice')
    await done('revoke', copy)
    assert.match(await done('revoke', copy), /was revoked already/)
    const judged = (file: string) => {
      writeFileSync(path('all.crl.txt'), Buffer.concat([read('root.crl'), read('issuing.crl')]))
      return openssl('verify', '-crl_check_all', '-CAfile', path('ca.pem'), '-CRLfile', path('all.crl.txt'), file)
    }
    assert.match(judged(copy).stderr, /certificate revoked/)
    assert.equal(judged(path('alice.pem')).status, 0)
    assert.equal(judged(path('bob.pem')).status, 0)
    await done('revoke', 'bob')
    assert.match(judged(path('bob.pem')).stderr, /certificate revoked/)
    assert.match(judged(copy).stderr, /certificate revoked/)
    await done('revoke')
    const number = openssl('crl', '-in', path('root.crl'), '-noout', '-crlnumber').stdout
    assert.match(number, /crlNumber=0x0?5/i)
    const { status, stdout } = await certs('show')
    assert.equal(status, 1)
    assert.match(stdout, /! CN=bob is revoked/)
    unlinkSync(path('all.crl.txt'))
  })

  test('a certificate of another CA is neither revoked nor renewed', async () => {
    await done('init')
    const ours = dir
    dir = join(dir, 'other')
    await done('init')
    await done('issue', 'alice', '--client')
    const theirs = path('alice.pem')
    dir = ours
    const { status, stderr } = await certs('revoke', [theirs])
    assert.equal(status, 1)
    assert.match(stderr, /was not issued by the CA of/)
  })

  test('PKCS#12: keytool opens both stores, and show reads them back', { skip: without('keytool') }, async () => {
    await done('init')
    await done('issue', 'alice', '--client', '--p12')
    const password = read('alice.p12.password').toString().trim()
    const keytool = (store: string) =>
      spawnSync('keytool', ['-list', '-v', '-keystore', path(store), '-storetype', 'PKCS12', '-storepass', password], {
        encoding: 'utf8',
        timeout: 60_000,
      })
    const fingerprint = leafOf('alice.pem').fingerprint256
    assert.match(keytool('alice.p12').stdout, /Entry type: PrivateKeyEntry\nCertificate chain length: 3/)
    assert.ok(keytool('alice.p12').stdout.includes(fingerprint))
    assert.match(keytool('alice.truststore.p12').stdout, /Entry type: trustedCertEntry/)
    const shown = await certs('show', [path('alice.p12'), '--password-file', path('alice.p12.password'), '--json'])
    assert.equal(shown.status, 0, shown.stderr)
    assert.equal(JSON.parse(shown.stdout)[0].chain[0].fingerprint, fingerprint)
    await done('renew', 'alice', '--new-key')
    assert.ok(keytool('alice.p12').stdout.includes(leafOf('alice.pem').fingerprint256))
    for (const file of readdirSync(dir).filter(name => name.includes('.p12')))
      assert.equal(statSync(path(file)).mode & 0o077, 0)
  })

  test('PKCS#12 with a password of standard input, which is never shown', async () => {
    await done('init')
    const { status, stdout, stderr } = spawned(
      'issue',
      ['a', '--client', '--p12', '--password-file', '-'],
      'canary-password\n',
    )
    assert.equal(status, 0, stderr)
    assert.equal((stdout + stderr).includes('canary'), false)
    assert.equal(readdirSync(dir).includes('a.p12.password'), false)
    const shown = spawned('show', [path('a.p12'), '--password-file', '-'], 'canary-password\n')
    assert.equal(shown.status, 0, shown.stderr)
    const wrong = spawned('show', [path('a.p12'), '--password-file', '-'], 'other-password\n')
    assert.equal(wrong.status, 1)
    assert.equal(wrong.stderr.includes('other-password'), false)
  })

  test('show says in words what is wrong', async () => {
    await done('init')
    await done('issue', 'gateway', '--san', 'localhost', '--days', '3')
    await done('issue', 'bob', '--client')
    await done('issue', 'carol', '--client')
    writeFileSync(path('bob.key'), read('carol.key'))
    const [leaf, ca] = read('carol.pem')
      .toString()
      .split(/(?<=END CERTIFICATE-----\n)/)
    writeFileSync(path('carol.pem'), `${ca}${leaf}`)
    const { status, stdout } = await certs('show', ['--json'])
    assert.equal(status, 1)
    const problems = Object.fromEntries(
      (JSON.parse(stdout) as { file: string; problems: string[] }[]).map(({ file, problems }) => [
        file.split('/').at(-1),
        problems,
      ]),
    )
    assert.deepEqual(problems['root.pem'], [])
    assert.match(problems['gateway.pem']![0]!, /^CN=localhost expires in 2 days, on .*: renew it$/)
    assert.deepEqual(problems['bob.pem'], ['the key beside it belongs to another certificate'])
    assert.equal(problems['carol.pem']!.length, 2)
    assert.match(problems['carol.pem']!.join(), /put the chain in order/)
  })

  test('two commands at once do not forget what the other revoked', async () => {
    await done('init')
    writeFileSync(path('authority.lock'), '')
    const { status, stderr } = await certs('revoke')
    assert.equal(status, 1)
    assert.match(stderr, /another command is at work; try again in a minute/)
    const longAgo = new Date(Date.now() - 61_000)
    utimesSync(path('authority.lock'), longAgo, longAgo)
    await done('revoke')
  })
})
