import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { describe, test } from 'node:test'
import { checkKeyAccess } from '../../src/config/key-access.ts'
import { createRoot, issueServer } from '../../src/tls/certificate-authority.ts'
import { parse, problemsOf, workFolder, yamlWith } from './fixture.ts'

const self = process.getuid!()
const key = (mode: number, uid = self) => ({
  path: 'a.key',
  content: Buffer.alloc(0),
  access: { mode: 0o100000 | mode, uid },
})

describe('C-14: a private key', () => {
  test('C-14: is refused where others than its owner can read it', () => {
    for (const mode of [0o600, 0o400]) checkKeyAccess(key(mode), 'strict')
    for (const mode of [0o604, 0o602, 0o644, 0o666, 0o777, 0o620]) {
      assert.throws(
        () => checkKeyAccess(key(mode), undefined),
        /other users can read the private key .*chmod 600 a\.key/,
      )
      checkKeyAccess(key(mode), 'relaxed')
    }
  })

  test("C-14: of root may be read by a group, as in a Kubernetes secret; another user's is refused", () => {
    for (const mode of [0o640, 0o440]) checkKeyAccess(key(mode, 0), 'strict')
    for (const mode of [0o644, 0o660]) assert.throws(() => checkKeyAccess(key(mode, 0), 'strict'), /other users/)
    const getuid = process.getuid!
    process.getuid = () => 1_234
    try {
      assert.throws(() => checkKeyAccess(key(0o600, 4_321), 'strict'), /belongs to another user \(uid 4321\)/)
      checkKeyAccess(key(0o600, 1_234), 'strict')
      assert.throws(() => checkKeyAccess(key(0o640, 1_234), 'strict'), /other users/)
    } finally {
      process.getuid = getuid
    }
  })

  test('C-14: that others can read is a problem of the configuration, unless it is said to be meant', async t => {
    const folder = workFolder()
    t.after(() => folder.remove())
    const now = new Date()
    const issued = issueServer(createRoot({ subject: 'CN=r', now }), { names: ['127.0.0.1'], now })
    folder.write('a.pem', issued.certificate)
    chmodSync(folder.write('a.key', issued.key), 0o604)
    const listening = (more: string) => yamlWith({ listener: `tls: {certificate: a.pem, key: a.key${more}}` })
    const options = { folder: folder.path }
    assert.deepEqual(await problemsOf(listening(''), options), [
      `clusters[0].listeners[0].tls.key: ${folder.path}/a.key: other users can read the private key (mode 604): chmod 600 ${folder.path}/a.key, or write keyPermissions: relaxed`,
    ])
    const { warnings } = await parse(listening(', keyPermissions: relaxed'), options)
    assert.deepEqual(
      warnings.filter(({ path }) => path.endsWith('keyPermissions')).map(({ message }) => message),
      ['is relaxed: other users may read the private key'],
    )
  })

  test('a certificate that does not name where clients connect is a warning', async t => {
    const folder = workFolder()
    t.after(() => folder.remove())
    const now = new Date()
    const issued = issueServer(createRoot({ subject: 'CN=r', now }), { names: ['kafka.example.com'], now })
    folder.write('a.pem', issued.certificate)
    folder.write('a.key', issued.key)
    const told = async (advertise: string) =>
      (
        await parse(yamlWith({ listener: `advertise: ${advertise}:9092\ntls: {certificate: a.pem, key: a.key}` }), {
          folder: folder.path,
        })
      ).warnings
        .filter(({ path }) => path.endsWith('tls.certificate'))
        .map(({ message }) => message)
    assert.deepEqual(await told('kafka.example.com'), [])
    assert.deepEqual(await told('other.example.com'), ['does not name other.example.com, where clients connect'])
  })
})
