// What to do and how to report it, as described in ../README.md.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const keys = 97
const silenceMs = 60_000
const attemptsMax = 20

export function readJob() {
  return JSON.parse(readFileSync(0, 'utf8'))
}

export function tlsOf({ ca, certificate, key }) {
  if (ca === undefined) return undefined
  const own = certificate === undefined ? {} : { cert: readFileSync(certificate), key: readFileSync(key) }
  return { ca: [readFileSync(ca)], ...own }
}

export function recordOf(job, i) {
  const key = `k-${i % keys}`
  const value = `${job.topic}|${key}|${Math.floor(i / keys)}|${i}|${'x'.repeat(i % 200)}`
  return {
    key: Buffer.from(key),
    value: Buffer.from(value),
    timestamp: job.firstTimestamp + 3 * i,
    headers: { n: Buffer.from(`${i}`), trace: Buffer.from([0, 0xff, i % 256]) },
  }
}

const line = object => process.stdout.write(`${JSON.stringify(object)}\n`)
const text = bytes => (bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString('base64'))

export const retried = message => line({ retry: message })

export function read({ partition, offset, timestamp, key, value, headers }) {
  const pairs = [...headers].map(([name, bytes]) => [name, text(bytes)])
  line({ read: { partition, offset, timestamp, key: text(key), value: text(value), headers: pairs } })
}

/**
 * Sends the records in batches and reports where each of them went. `send` resolves to the first offset of each
 * partition that is stored; `partitionOf` then tells which partition the library chose for record i. What has no
 * offset is sent again before anything else is, by the application, as both libraries here need it when a leader dies.
 */
export async function produceInBatches(job, { size, partitionOf, send }) {
  for (let first = 0; first < job.records; first += size) {
    const numbers = Array.from({ length: Math.min(size, job.records - first) }, (_, index) => first + index)
    const next = await deliver(numbers, { partitionOf, send })
    for (const sent of numbers) {
      const partition = partitionOf(sent)
      const offset = next.get(partition)
      next.set(partition, offset + 1)
      line({ sent, partition, offset })
    }
    if (job.perSecond > 0) await sleep((size * 1000) / job.perSecond)
  }
}

async function deliver(numbers, { partitionOf, send }) {
  const stored = new Map()
  for (let left = numbers, attempt = 1; left.length > 0; attempt++) {
    for (const [partition, offset] of await send(left)) stored.set(partition, offset)
    left = numbers.filter(i => !stored.has(partitionOf(i)))
    if (left.length === 0) break
    if (attempt === attemptsMax) throw new Error(`${left.length} records are not stored after ${attempt} attempts`)
    retried(`${left.length} records have no offset, sending them again`)
    await sleep(500)
  }
  return stored
}

/** Says when a consumer has read enough. */
export class Reading {
  #missing
  #last = Date.now()

  constructor(job) {
    this.#missing = new Set(Array.from({ length: job.records }, (_, i) => `${i}`))
  }

  seen(number) {
    this.#last = Date.now()
    this.#missing.delete(`${number}`)
  }

  async ended() {
    while (Date.now() - this.#last < (this.#missing.size > 0 ? silenceMs : 1_000)) await sleep(50)
  }
}
