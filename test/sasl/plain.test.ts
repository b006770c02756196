import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failureText } from '../../src/sasl/conversation.ts'
import { PlainClient, PlainServer } from '../../src/sasl/plain.ts'
import { isPassword, sameKey } from '../../src/sasl/scram-keys.ts'
import { lookupIn, usersOf } from './scram-peers.ts'

const users = await usersOf({ alice: 'pass', ['__proto__']: 'proto', ü: 'ö' }, ['SCRAM-SHA-256'])
const say = (message: string | Buffer) => new PlainServer(lookupIn(users)).next(Buffer.from(message as string))

describe('PLAIN', () => {
  test('lets in whoever knows the password, against a verifier', async () => {
    for (const [name, password] of [
      ['alice', 'pass'],
      ['ü', 'ö'],
    ] as const) {
      const step = await say(await new PlainClient(name, password).first())
      assert.deepEqual(step.kind === 'done' && step.name, name)
    }
  })

  test('A-27: names of prototypes are names like any other', async () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty'])
      assert.equal((await say(`\0${name}\0x`)).kind, 'failed')
    assert.equal((await say('\0__proto__\0x')).kind, 'failed')
    assert.equal((await say('\0__proto__\0proto')).kind, 'done')
    const named = users.with('__proto__', new Map([['SCRAM-SHA-256', users.verifier('alice', 'SCRAM-SHA-256')!]]))
    const step = await new PlainServer(lookupIn(named)).next(Buffer.from('\0__proto__\0pass'))
    assert.equal(step.kind === 'done' && step.name, '__proto__')
    assert.equal((await new PlainServer(lookupIn(named)).next(Buffer.from('\0constructor\0pass'))).kind, 'failed')
  })

  test('D-05: a client may ask to be nobody else', async () => {
    assert.equal((await say('bob\0alice\0pass')).kind, 'failed')
    assert.equal((await say('alice\0alice\0pass')).kind, 'done')
  })

  test('D-06: wrong counts of NUL, empty names and passwords, too much, no UTF-8 and other Unicode forms are refused', async () => {
    const bad = [
      '',
      '\0',
      '\0\0',
      'alice\0pass',
      '\0alice\0pass\0',
      '\0\0alice\0pass',
      '\0\0pass',
      '\0alice\0',
      '\0alice\0pas',
      '\0alice\0pass ',
      '\0Alice\0pass',
      '\0u\u0308\0ö',
      '\0ü\0o\u0308',
      '\0ａlice\0pass',
    ]
    for (const message of bad) assert.equal((await say(message)).kind, 'failed', JSON.stringify(message))
    assert.equal((await say(`\0alice\0${'x'.repeat(70_000)}`)).kind, 'failed')
    assert.equal((await say(Buffer.from([0, 0xff, 0xfe, 0, 0x61]))).kind, 'failed')
    const theirs = new PlainServer(lookupIn(users))
    await theirs.next(Buffer.from('\0alice\0wrong'))
    assert.equal((await theirs.next(Buffer.from('\0alice\0pass'))).kind, 'failed')
  })

  test('D-04: an unknown user and a wrong password get one answer, after the same work', async () => {
    // The log knows better; a client hears the same text for both.
    assert.deepEqual(await say('\0alice\0wrong'), { kind: 'failed', reason: 'wrong password', name: 'alice' })
    assert.deepEqual(await say('\0nobody\0wrong'), { kind: 'failed', reason: 'unknown user' })
    assert.equal(failureText('PLAIN'), 'Authentication failed: Invalid username or password')
    const lookup = lookupIn(users)
    const [real, fake] = [lookup.findAny('alice'), lookup.findAny('nobody')]
    assert.deepEqual([real.mechanism, real.verifier.iterations], [fake.mechanism, fake.verifier.iterations])
  })

  test('D-01: keys of different lengths are different, not an error', () => {
    assert.equal(sameKey(Buffer.alloc(32), Buffer.alloc(31)), false)
    assert.equal(sameKey(Buffer.alloc(0), Buffer.alloc(32)), false)
    assert.equal(sameKey(Buffer.alloc(32, 1), Buffer.alloc(32, 1)), true)
  })

  test('D-01: how long a comparison takes does not tell how much of a key is right', () => {
    const right = Buffer.alloc(32, 1)
    const measured = { early: [] as number[], late: [] as number[] }
    // In random order and each in memory of its own: caches and what was written last must not speak for the key.
    const tries = Array.from({ length: 20_000 }, () => {
      const which: keyof typeof measured = Math.random() < 0.5 ? 'early' : 'late'
      const key = Buffer.from(new Uint8Array(32).fill(1).buffer)
      key[which === 'early' ? 0 : 31] = 2
      return { which, key }
    })
    for (const isWarm of [false, true]) {
      for (const { which, key } of tries) {
        const begin = process.hrtime.bigint()
        for (let turn = 0; turn < 20; turn++) sameKey(key, right)
        if (isWarm) measured[which].push(Number(process.hrtime.bigint() - begin))
      }
    }
    assert.ok(Math.abs(tOf(measured.early, measured.late)) < 4.5)
  })

  test('D-02: hashing a password leaves the event loop to others', async () => {
    const slow = await usersOf({ alice: 'x' }, ['SCRAM-SHA-512'], 200_000)
    let turns = 0
    const counting = setInterval(() => turns++, 1)
    await isPassword('SCRAM-SHA-512', 'x', slow.verifier('alice', 'SCRAM-SHA-512')!)
    clearInterval(counting)
    assert.ok(turns >= 3, `${turns} turns`)
  })
})

/** Welch's t over the faster nine tenths: what the machine does meanwhile is not the comparison's. */
function tOf(one: number[], other: number[]): number {
  const [a, b] = [one, other].map(values => values.sort((x, y) => x - y).slice(0, values.length * 0.9)) as [
    number[],
    number[],
  ]
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const spread = (values: number[], middle: number) =>
    values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / values.length ** 2
  const [ma, mb] = [mean(a), mean(b)]
  return (ma - mb) / Math.sqrt(spread(a, ma) + spread(b, mb) || 1e-9)
}
