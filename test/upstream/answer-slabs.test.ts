import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { BrokerConnection } from '../../src/upstream/broker-connection.ts'
import { ByteBudget, type Reservation } from '../../src/wire/byte-budget.ts'
import type { Frame } from '../../src/wire/frame.ts'
import { ReceiveBuffers, slabBytesMax } from '../../src/wire/receive-buffers.ts'
import { acceptedPair } from '../support/accepted-pair.ts'
import { framed } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

describe('AnswerSlabs', () => {
  const opened: (() => void)[] = []
  afterEach(() => {
    for (const close of opened.splice(0)) close()
  })

  interface Taken {
    readonly frame: Frame
    readonly held: Reservation
  }

  /** A connection that hands over its answers, and how its broker sends one. */
  async function answering(buffers: ReceiveBuffers, budget: ByteBudget) {
    const { near, far, close } = await acceptedPair(false)
    opened.push(close)
    const taken: Taken[] = []
    const connection = new BrokerConnection({
      socket: near,
      budget,
      buffers,
      frameBytesMax: 64 * 1024 * 1024,
      onWritable: () => undefined,
      onClosed: () => undefined,
    })
    const answer = (payload: Buffer): void => {
      const question = framed(Buffer.from('?'))
      connection.send({
        chunks: [question],
        byteLength: question.length,
        onAnswer: (frame, held) => taken.push({ frame, held }),
      })
      far.write(framed(payload))
    }
    return { connection, taken, answer }
  }

  const payloadOf = ({ frame }: Taken): Buffer => Buffer.concat(frame.chunks).subarray(4)

  test('a large answer lies in slabs, and the next one in the same when they were given back', async () => {
    const buffers = new ReceiveBuffers()
    const { connection, taken, answer } = await answering(buffers, new ByteBudget(64 * 1024 * 1024))
    const slabsOf = ({ frame }: Taken) => new Set(frame.chunks.map(({ buffer }) => buffer).filter(isSlab))
    for (let at = 0; at < 3; at++) {
      const payload = Buffer.alloc(2 * 1024 * 1024, at + 1)
      answer(payload)
      await until('it is here', () => taken.length === at + 1)
      const each = taken[at]!
      assert.ok(payloadOf(each).equals(payload))
      assert.ok(slabsOf(each).size >= 6, `${slabsOf(each).size} slabs`)
      if (at === 0) each.frame.giveBack!()
    }
    const [first, second, third] = taken.map(slabsOf)
    assert.ok(
      [...second!].every(slab => first!.has(slab)),
      'given back, and used again',
    )
    assert.ok(
      [...third!].every(slab => !second!.has(slab)),
      'not given back, and not used again',
    )
    connection.destroy()
  })

  const isSlab = ({ byteLength }: { readonly byteLength: number }): boolean => byteLength === slabBytesMax

  test('an answer that fills no slab has none, and neither has one that the budget has no room for', async () => {
    const buffers = new ReceiveBuffers()
    const budget = new ByteBudget(1024 * 1024)
    const { connection, taken, answer } = await answering(buffers, budget)
    answer(Buffer.alloc(slabBytesMax - 4))
    await until('it is here', () => taken.length === 1)
    assert.equal(taken[0]!.frame.giveBack, undefined)
    taken[0]!.held.release()
    const full = budget.hold(0)
    full.grow(2 * 1024 * 1024, () => undefined)
    const waiting = budget.hold(0)
    answer(Buffer.alloc(4 * slabBytesMax, 7))
    await delay(50)
    assert.equal(budget.inUseBytes, 2 * 1024 * 1024)
    full.release()
    waiting.release()
    await until('it is here', () => taken.length === 2)
    assert.ok(payloadOf(taken[1]!).equals(Buffer.alloc(4 * slabBytesMax, 7)))
    connection.destroy()
  })

  test('whoever keeps an answer has its bytes, whatever is received meanwhile and whatever others give back', async () => {
    const size = fc.oneof(
      { weight: 2, arbitrary: fc.integer({ min: 4, max: 3_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 70_000 }) },
      { weight: 3, arbitrary: fc.integer({ min: slabBytesMax - 70_000, max: 5 * slabBytesMax }) },
    )
    const step = fc.record({ connection: fc.nat(2), size, keptFor: fc.nat(6) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async steps => {
        const buffers = new ReceiveBuffers()
        const budget = new ByteBudget(256 * 1024 * 1024)
        const all: Awaited<ReturnType<typeof answering>>[] = []
        for (let at = 0; at < 3; at++) all.push(await answering(buffers, budget))
        const expected = all.map((): Buffer[] => [])
        const kept: { at: number; taken: Taken; payload: Buffer }[] = []
        const check = (until: number): void => {
          for (const each of kept.splice(0)) {
            if (each.at > until) {
              kept.push(each)
              continue
            }
            assert.ok(payloadOf(each.taken).equals(each.payload), 'bytes of somebody else')
            each.taken.held.release()
            each.taken.frame.giveBack?.()
          }
        }
        for (const [at, { connection, size, keptFor }] of steps.entries()) {
          const payload = Buffer.alloc(size, at + 1)
          expected[connection]!.push(payload)
          all[connection]!.answer(payload)
          // Some come together, some one by one.
          if (at % 3 === 0)
            await until('all are here', () => all.every((each, i) => each.taken.length === expected[i]!.length))
          for (const [i, each] of all.entries())
            for (const taken of each.taken.splice(0))
              kept.push({ at: at + keptFor, taken, payload: expected[i]!.shift()! })
          check(at)
        }
        await until('all are here', () => all.every((each, i) => each.taken.length === expected[i]!.length))
        for (const [i, each] of all.entries())
          for (const taken of each.taken.splice(0)) kept.push({ at: 0, taken, payload: expected[i]!.shift()! })
        check(Number.POSITIVE_INFINITY)
        assert.equal(budget.inUseBytes, 0)
        for (const { connection } of all) connection.destroy()
      }),
      { numRuns: 40 },
    )
  })
})
