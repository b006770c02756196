import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ClientReport, Job, ReadRecord } from './clients.ts'
import { complaints, type Expectations } from './oracle.ts'

const job: Job = {
  bootstrap: [],
  topic: 'orders',
  group: 'readers',
  partitions: 4,
  records: 300,
  firstTimestamp: 1_700_000_000_000,
  perSecond: 0,
  idempotent: true,
}

const base64 = (bytes: string | Uint8Array) => Buffer.from(bytes as string).toString('base64')

/** A run in which everything went well, written down without the judge's own code. */
function goodRun(): Mutable {
  const next = [0, 0, 0, 0]
  const sent = new Map<number, { partition: number; offset: number }>()
  const read: ReadRecord[] = []
  for (let i = 0; i < job.records; i++) {
    const key = i % 97
    const partition = key % 4
    const place = { partition, offset: next[partition]! }
    next[partition]! += 1
    sent.set(i, place)
    read.push({
      ...place,
      timestamp: job.firstTimestamp + 3 * i,
      key: base64(`k-${key}`),
      value: base64(`orders|k-${key}|${Math.floor(i / 97)}|${i}|${'x'.repeat(i % 200)}`),
      headers: [
        ['n', base64(String(i))],
        ['trace', base64(Buffer.from([0, 255, i & 255]))],
      ],
    })
  }
  return { sent, read, stored: [], retries: [], facts: new Map(), stderr: '' }
}

type Mutable = { -readonly [Name in keyof ClientReport]: ClientReport[Name] } & {
  sent: Map<number, { partition: number; offset: number }>
  read: ReadRecord[]
  retries: string[]
}

function change(run: Mutable, index: number, changes: Partial<ReadRecord>): void {
  run.read[index] = { ...run.read[index]!, ...changes }
}

/** Record 150 once more, behind everything else of its partition. */
function double(run: Mutable): void {
  const { partition } = run.read[150]!
  const offset = Math.max(...run.read.filter(each => each.partition === partition).map(each => each.offset)) + 1
  run.read.push({ ...run.read[150]!, offset })
}

const faults: readonly [fault: string, spoil: (run: Mutable) => void, complaint: RegExp][] = [
  ['a record that is missing', run => void run.read.splice(150, 1), /record 150 is lost/],
  ['a record stored twice', double, /record 150 is stored 2 times/],
  ['a record delivered twice from one place', run => void run.read.push(run.read[299]!), /record 299 was read 2 times/],
  ['another key', run => change(run, 7, { key: base64('k-8') }), /record 7 has key/],
  ['no key', run => change(run, 7, { key: null }), /record 7 has key null/],
  ['a value that is cut', run => change(run, 7, { value: base64('orders|k-7|0|7|xxx') }), /record 7 has another value/],
  ['a value of nobody', run => change(run, 7, { value: base64('aborted') }), /never sent/],
  ['another topic', run => change(run, 7, { value: base64('secret|k-7|0|7|xxxxxxx') }), /never sent/],
  ['another timestamp', run => change(run, 7, { timestamp: Date.now() }), /record 7 has timestamp/],
  ['a header that is missing', run => change(run, 7, { headers: [['n', base64('7')]] }), /record 7 has headers/],
  [
    'headers in another order',
    run => change(run, 7, { headers: run.read[7]!.headers.toReversed() }),
    /record 7 has headers/,
  ],
  [
    'another place than reported',
    run => void run.sent.set(7, { partition: 3, offset: 70 }),
    /record 7 was reported at 3@70/,
  ],
  ['a delivery never reported', run => void run.sent.delete(7), /299 of 300 records were reported/],
  ['a place nobody read', run => void run.sent.set(7, { partition: 3, offset: 999 }), /nothing was read at 3@999/],
  ['a partition that does not exist', run => change(run, 7, { partition: 4 }), /partition 4 does not exist/],
  ['a key that moved', run => change(run, 110, { partition: 2, offset: 999 }), /k-13 moved to partition 2/],
  ['a partition read backwards', run => void run.read.reverse(), /was read after a later one/],
  ['an order that is not that of the producer', swap, /k-10: number 1 was read where 0 should follow/],
]

/** Two records of one key trade places, in the log, too. */
function swap(run: Mutable): void {
  const [first, second] = [run.read[10]!, run.read[107]!]
  run.read[10] = { ...second, partition: first.partition, offset: first.offset }
  run.read[107] = { ...first, partition: second.partition, offset: second.offset }
}

describe('the judge of a run', () => {
  it('has no complaint about a good one', () => {
    assert.deepEqual(complaints(job, goodRun()), [])
  })

  for (const [fault, spoil, complaint] of faults) {
    it(`sees ${fault}`, () => {
      const run = goodRun()
      spoil(run)
      assert.match(complaints(job, run).join('\n'), complaint)
    })
  }

  it('forgives a double only where it may happen and the log of the client shows a retry', () => {
    const judge = (retries: string[], expected: Expectations) => {
      const run = goodRun()
      double(run)
      run.retries.push(...retries)
      return complaints(job, run, expected)
    }
    assert.deepEqual(judge(['retrying'], { doublesAfterRetry: true }), [])
    assert.notDeepEqual(judge([], { doublesAfterRetry: true }), [])
    assert.notDeepEqual(judge(['retrying'], {}), [])
  })

  it('takes a share group in any order, but complete', () => {
    const run = goodRun()
    run.read.reverse()
    assert.deepEqual(complaints(job, run, { anyOrder: true }), [])
    run.read.pop()
    assert.notDeepEqual(complaints(job, run, { anyOrder: true }), [])
  })
})
