import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { parseUsers } from '../../src/identity/users.ts'
import { isPassword } from '../../src/sasl/scram-keys.ts'

const program = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'vkitm-users-'))
const file = join(folder, 'users.json')

function vkitm(args: readonly string[], input = ''): { status: number | null; out: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'users', ...args], {
    input,
    encoding: 'utf8',
  })
  return { status, out: `${stdout}${stderr}` }
}

describe('vkitm users', () => {
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('D-02: keeps verifiers and no password, in a file for its owner alone', async () => {
    const { status, out } = vkitm(['add', 'alice', '--file', file], 'hunter2\n')
    assert.equal(status, 0, out)
    const text = readFileSync(file, 'utf8')
    assert.ok(!text.includes('hunter2') && !out.includes('hunter2'))
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder), ['users.json'])
    const users = parseUsers(text, file)
    for (const mechanism of users.mechanismsOf('alice')) {
      const verifier = users.verifier('alice', mechanism)!
      assert.equal(await isPassword(mechanism, 'hunter2', verifier), true)
      assert.equal(await isPassword(mechanism, 'hunter2\n', verifier), false)
      assert.ok(verifier.iterations >= 10_000)
    }
    assert.equal(users.mechanismsOf('alice').length, 2)
  })

  test('adds, replaces, lists and removes', async () => {
    assert.equal(vkitm(['add', 'bob', '--file', file, '--mechanism', 'SCRAM-SHA-256'], 'x').status, 0)
    assert.match(vkitm(['list', '--file', file]).out, /^alice: SCRAM-SHA-512, SCRAM-SHA-256\nbob: SCRAM-SHA-256\n$/)
    assert.equal(vkitm(['add', 'alice', '--file', file, '--mechanism', 'SCRAM-SHA-512'], 'new').status, 0)
    const users = parseUsers(readFileSync(file, 'utf8'), file)
    assert.deepEqual(users.mechanismsOf('alice'), ['SCRAM-SHA-512'])
    assert.equal(await isPassword('SCRAM-SHA-512', 'new', users.verifier('alice', 'SCRAM-SHA-512')!), true)
    assert.equal(vkitm(['remove', 'alice', '--file', file]).status, 0)
    assert.deepEqual(JSON.parse(vkitm(['list', '--file', file, '--json']).out), [
      { name: 'bob', mechanisms: ['SCRAM-SHA-256'] },
    ])
    assert.equal(vkitm(['remove', 'alice', '--file', file]).status, 1)
  })

  test('D-04: what stand-ins are made from stays, whoever comes and goes', () => {
    const secret = () => parseUsers(readFileSync(file, 'utf8'), file).standInSecret
    const before = secret()
    assert.equal(before?.length, 32)
    assert.equal(vkitm(['add', 'dora', '--file', file], 'x').status, 0)
    assert.equal(vkitm(['remove', 'dora', '--file', file]).status, 0)
    assert.deepEqual(secret(), before)
    assert.doesNotMatch(vkitm(['list', '--file', file]).out, /standIn|^:/m)
  })

  test('two commands at once do not forget whom the other added', () => {
    writeFileSync(`${file}.lock`, '')
    const { status, out } = vkitm(['add', 'dora', '--file', file], 'x')
    assert.equal(status, 1)
    assert.match(out, /another command is at work; try again in a minute/)
    rmSync(`${file}.lock`)
  })

  test('refuses what it does not understand, and leaves the file as it was', () => {
    const before = readFileSync(file, 'utf8')
    for (const [args, input] of [
      [['add', 'carol'], 'x'],
      [['add', '--file', file], 'x'],
      [['add', 'carol', '--file', file, '--mechanism', 'PLAIN'], 'x'],
      [['add', 'carol', '--file', file, '--iterations', '9999'], 'x'],
      [['add', 'ANONYMOUS', '--file', file], 'x'],
      [['add', 'carol', '--file', file], ''],
      [['add', 'carol', '--file', file], 'two\nlines'],
    ] as const)
      assert.equal(vkitm(args, input).status, 2, args.join(' '))
    assert.equal(readFileSync(file, 'utf8'), before)
    const broken = join(folder, 'broken.json')
    writeFileSync(broken, '{"alice": "password"}')
    assert.equal(vkitm(['add', 'carol', '--file', broken], 'x').status, 1)
    assert.equal(readFileSync(broken, 'utf8'), '{"alice": "password"}')
  })
})
