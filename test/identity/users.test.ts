import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '../../src/errors.ts'
import { parseUsers } from '../../src/identity/users.ts'
import { usersOf } from '../sasl/scram-peers.ts'

const problemsOf = (text: string): readonly string[] => {
  try {
    parseUsers(text, 'users.json')
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path} ${message}`)
    throw error
  }
  return []
}

describe('the users file', () => {
  test('is read as it was written, names of prototypes included', async () => {
    const users = (await usersOf({ alice: 'x' })).with(
      '__proto__',
      new Map([['SCRAM-SHA-256', (await usersOf({ a: 'b' })).verifier('a', 'SCRAM-SHA-256')!]]),
    )
    const read = parseUsers(users.toText(), 'users.json')
    assert.deepEqual(read.names, ['alice', '__proto__'])
    assert.deepEqual(read.mechanismsOf('alice'), ['SCRAM-SHA-512', 'SCRAM-SHA-256'])
    assert.deepEqual(read.verifier('alice', 'SCRAM-SHA-512'), users.verifier('alice', 'SCRAM-SHA-512'))
    assert.equal(read.verifier('constructor', 'SCRAM-SHA-256'), undefined)
    assert.deepEqual(read.without('alice').names, ['__proto__'])
  })

  test('D-04: brings what stand-ins are made from, which is nobody', async () => {
    const users = (await usersOf({ alice: 'x' })).withStandInSecret(byteLength => Buffer.alloc(byteLength, 7))
    const read = parseUsers(users.toText(), 'users.json')
    assert.deepEqual(read.names, ['alice'])
    assert.deepEqual(read.standInSecret, Buffer.alloc(32, 7))
    assert.deepEqual(read.without('alice').withStandInSecret(Buffer.alloc).standInSecret, Buffer.alloc(32, 7))
    for (const bad of ['x', {}, { standInSecret: 'AA==' }, null])
      assert.deepEqual(problemsOf(JSON.stringify({ '': bad })), [
        'users.json: "" standInSecret is not 32 bytes in base64',
      ])
  })

  test('tells every problem at once, without showing a value', async () => {
    const right = JSON.parse((await usersOf({ alice: 'x' })).toText()).alice['SCRAM-SHA-256']
    const problems = problemsOf(
      JSON.stringify({
        ANONYMOUS: { 'SCRAM-SHA-256': right },
        'u\u0308': { 'SCRAM-SHA-256': right },
        a: {},
        b: 'secret',
        c: { 'SCRAM-SHA-1': right },
        d: { 'SCRAM-SHA-256': { ...right, iterations: 100 } },
        e: { 'SCRAM-SHA-256': { ...right, salt: 'AA==' } },
        f: { 'SCRAM-SHA-256': { ...right, storedKey: `${right.storedKey} ` } },
        g: { 'SCRAM-SHA-512': right },
        h: { 'SCRAM-SHA-256': { ...right, password: 'secret' } },
      }),
    )
    assert.equal(problems.length, 10, problems.join('\n'))
    assert.ok(!problems.join('').includes('secret'))
    for (const text of ['', '[]', 'null', 'password', '"x"']) assert.equal(problemsOf(text).length, 1, text)
  })
})
