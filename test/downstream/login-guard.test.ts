import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LoginGuard } from '../../src/downstream/login-guard.ts'

describe('the login guard', () => {
  const guardAt = () => {
    const clock = { ms: 0 }
    return { clock, guard: new LoginGuard({ now: () => clock.ms, random: () => 0.5, delayMs: 5 }) }
  }

  test('D-08: ten failures in a minute shut one name out from one address, for a minute, and nobody else', () => {
    const { clock, guard } = guardAt()
    for (let turn = 0; turn < 9; turn++) guard.failed('10.0.0.1', 'alice')
    assert.equal(guard.isBlocked('10.0.0.1', 'alice'), false)
    clock.ms = 59_999
    guard.failed('10.0.0.1', 'alice')
    assert.equal(guard.isBlocked('10.0.0.1', 'alice'), true)
    assert.equal(guard.isBlocked('10.0.0.2', 'alice'), false)
    assert.equal(guard.isBlocked('10.0.0.1', 'bob'), false)
    clock.ms += 59_999
    guard.failed('10.0.0.1', 'alice')
    assert.equal(guard.isBlocked('10.0.0.1', 'alice'), true)
    clock.ms += 1
    assert.equal(guard.isBlocked('10.0.0.1', 'alice'), false)
  })

  test('D-07 D-08: whoever has a network of IPv6 is one address', async () => {
    const { guard } = guardAt()
    for (let turn = 0; turn < 10; turn++) guard.failed(`2001:db8::${turn}`, 'alice')
    assert.equal(guard.isBlocked('2001:db8::ffff:1', 'alice'), true)
    assert.equal(guard.isBlocked('2001:db8:0:1::1', 'alice'), false)
    const delays = Array.from({ length: 101 }, (_, at) => guard.delay(`2001:db8::${at.toString(16)}`))
    assert.equal((await Promise.all(delays)).filter(isDelayed => !isDelayed).length, 1)
  })

  test('D-02: hashes two at a time, and lets a thousand of an address wait', async () => {
    const { guard } = guardAt()
    const turns = Array.from({ length: 1_003 }, () => guard.hashTurn('10.0.0.1'))
    assert.equal(turns.filter(coming => coming === undefined).length, 1)
    assert.notEqual(guard.hashTurn('10.0.0.2'), undefined)
    let begun = 0
    for (const coming of turns) void coming?.then(() => begun++)
    await new Promise(setImmediate)
    assert.equal(begun, 2)
  })

  test('D-08: failures further apart, or with a success between them, shut nobody out', () => {
    const { clock, guard } = guardAt()
    for (let turn = 0; turn < 50; turn++) {
      guard.failed('10.0.0.1', 'alice')
      clock.ms += 7_000
    }
    assert.equal(guard.isBlocked('10.0.0.1', 'alice'), false)
    for (let turn = 0; turn < 50; turn++) {
      guard.failed('10.0.0.1', 'bob')
      if (turn % 9 === 8) guard.succeeded('10.0.0.1', 'bob')
    }
    assert.equal(guard.isBlocked('10.0.0.1', 'bob'), false)
  })

  test('D-08: remembers 100,000 pairs, and no long names', () => {
    const { guard } = guardAt()
    for (let turn = 0; turn < 120_000; turn++) guard.failed('10.0.0.1', `user-${turn}`)
    assert.equal(guard.pairCount, 100_000)
    const { guard: other } = guardAt()
    for (let turn = 0; turn < 100; turn++) other.failed('10.0.0.1', `${turn}${'x'.repeat(300)}`)
    assert.equal(other.pairCount, 1)
  })

  test('D-07: lets 100 of an address wait, and the next ones when these are through', async () => {
    const { guard } = guardAt()
    const waits = Array.from({ length: 101 }, () => guard.delay('10.0.0.1'))
    assert.equal(await guard.delay('10.0.0.2'), true)
    assert.deepEqual((await Promise.all(waits)).filter(answered => !answered).length, 1)
    assert.equal(await guard.delay('10.0.0.1'), true)
  })
})
