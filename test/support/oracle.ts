// The judge of a run: what the client was told, what it read, and what it must have sent.
import type { ClientReport, Job, ReadRecord } from './clients.ts'

const keys = 97
const complaintsMax = 12

export interface Expectations {
  /** Without it nothing may be read twice. With it doubles count only where the client logged that it sends again. */
  readonly doublesAfterRetry?: boolean
  /** A share group keeps no order between deliveries. */
  readonly anyOrder?: boolean
  /** kcat: headers are the same for all records. */
  readonly headers?: readonly (readonly [string, string])[]
  /** kcat: timestamps are the client's clock between these two. */
  readonly timestampsBetween?: readonly [number, number]
  /** kcat: only positions are reported. */
  readonly positionsOnly?: boolean
}

/** Everything that is wrong with a run; an empty list is a good one. */
export function complaints(job: Job, report: ClientReport, expected: Expectations = {}): string[] {
  const found: string[] = []
  const complain = (text: string) => {
    if (found.length < complaintsMax) found.push(text)
  }
  const byNumber = new Map<number, ReadRecord[]>()
  for (const record of report.read) {
    const number = numberOf(job, record)
    if (number === undefined) complain(`read something that was never sent: ${describe(record)}`)
    else byNumber.set(number, [...(byNumber.get(number) ?? []), record])
  }
  for (let number = 0; number < job.records; number++) {
    judgeRecord({ job, report, expected, complain }, number, byNumber.get(number) ?? [])
  }
  judgePositions({ job, report, expected, complain })
  if (expected.anyOrder !== true) judgeOrder({ job, report, expected, complain })
  return found
}

interface Case {
  readonly job: Job
  readonly report: ClientReport
  readonly expected: Expectations
  readonly complain: (text: string) => void
}

function judgeRecord({ job, report, expected, complain }: Case, number: number, copies: readonly ReadRecord[]): void {
  if (copies.length === 0) complain(`record ${number} is lost`)
  const mayDouble = expected.doublesAfterRetry === true && report.retries.length > 0
  const stored = new Set(copies.map(placeOf))
  if (stored.size > 1 && !mayDouble)
    complain(`record ${number} is stored ${stored.size} times: ${[...stored].join(' ')}`)
  if (copies.length > stored.size)
    complain(`record ${number} was read ${copies.length} times from ${[...stored].join(' ')}`)
  for (const copy of copies) judgeContent(expected, complain, { number, copy, meant: meantRecord(job, number) })
  const told = report.sent.get(number)
  if (told !== undefined && copies.length > 0 && !stored.has(placeOf(told))) {
    complain(`record ${number} was reported at ${placeOf(told)} and read at ${[...stored].join(' ')}`)
  }
}

interface Meant {
  readonly key: string
  readonly value: string
  readonly timestamp: number
  readonly headers: readonly (readonly [string, string])[]
}

function judgeContent(
  expected: Expectations,
  complain: (text: string) => void,
  { number, copy, meant }: { number: number; copy: ReadRecord; meant: Meant },
): void {
  if (copy.key !== meant.key) complain(`record ${number} has key ${copy.key}, not ${meant.key}`)
  if (copy.value !== meant.value) complain(`record ${number} has another value: ${describe(copy)}`)
  const headers = JSON.stringify(expected.headers ?? meant.headers)
  if (JSON.stringify(copy.headers) !== headers) {
    complain(`record ${number} has headers ${JSON.stringify(copy.headers)}, not ${headers}`)
  }
  const [earliest, latest] = expected.timestampsBetween ?? [meant.timestamp, meant.timestamp]
  if (copy.timestamp < earliest || copy.timestamp > latest) {
    complain(
      `record ${number} has timestamp ${copy.timestamp}, not ${earliest}${latest > earliest ? ` … ${latest}` : ''}`,
    )
  }
}

/** Everything the client was told is stored was read, from a place that exists. */
function judgePositions({ job, report, expected, complain }: Case): void {
  const places = new Set(report.read.map(placeOf))
  const told = expected.positionsOnly === true ? report.stored : [...report.sent.values()]
  if (told.length !== job.records) complain(`${told.length} of ${job.records} records were reported as delivered`)
  for (const position of told) {
    if (!places.has(placeOf(position))) complain(`nothing was read at ${placeOf(position)}, where something was stored`)
  }
  const used = new Set(report.read.map(({ partition }) => partition))
  for (const partition of used) if (partition >= job.partitions) complain(`partition ${partition} does not exist`)
  if (used.size < 2) complain(`records in ${used.size} partition(s) prove nothing about order`)
}

/** A partition is read front to back, a key lives in one partition, and its records follow each other as sent. */
function judgeOrder({ job, report, complain }: Case): void {
  const lastOffset = new Map<number, number>()
  const keyHome = new Map<number, number>()
  const nextOfKey = new Map<number, number>()
  for (const record of report.read) {
    const { partition, offset } = record
    if (offset <= (lastOffset.get(partition) ?? -1)) complain(`${placeOf(record)} was read after a later one`)
    lastOffset.set(partition, offset)
    const number = numberOf(job, record)
    if (number === undefined) continue
    const key = number % keys
    if (partition !== (keyHome.get(key) ?? partition)) complain(`k-${key} moved to partition ${partition}`)
    keyHome.set(key, partition)
    const sequence = Math.floor(number / keys)
    const next = nextOfKey.get(key) ?? 0
    // A double repeats what was there; it must not skip ahead.
    if (sequence > next) complain(`k-${key}: number ${sequence} was read where ${next} should follow`)
    nextOfKey.set(key, Math.max(next, sequence + 1))
  }
}

const base64 = (bytes: string | Uint8Array) => Buffer.from(bytes as string).toString('base64')
const placeOf = ({ partition, offset }: { partition: number; offset: number }) => `${partition}@${offset}`

function numberOf(job: Job, { value }: ReadRecord): number | undefined {
  const [topic, , , number] = Buffer.from(value ?? '', 'base64')
    .toString('utf8')
    .split('|')
  if (topic !== job.topic || number === undefined) return undefined
  const parsed = Number(number)
  return Number.isInteger(parsed) && parsed >= 0 && parsed < job.records ? parsed : undefined
}

function meantRecord(job: Job, number: number): Meant {
  const key = `k-${number % keys}`
  return {
    key: base64(key),
    value: base64([job.topic, key, Math.floor(number / keys), number, 'x'.repeat(number % 200)].join('|')),
    timestamp: job.firstTimestamp + 3 * number,
    headers: [
      ['n', base64(`${number}`)],
      ['trace', base64(Uint8Array.of(0, 0xff, number % 256))],
    ],
  }
}

function describe({ partition, offset, value }: ReadRecord): string {
  return `${partition}@${offset} ${Buffer.from(value ?? '', 'base64')
    .toString('utf8')
    .slice(0, 60)}`
}
