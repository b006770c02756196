/**
 * An audit stream read back: a file or standard input, of any length, one line in memory at a time. Lines of the log among
 * them are passed over; what is neither is named by its number.
 */
import { createReadStream } from 'node:fs'
import { isIP } from 'node:net'
import type { Operation, ResourceType } from '../acl/policy/policy.ts'
import { isOperation, isResourceType, supportedOperations } from '../acl/policy/vocabulary.ts'
import { VkitmError } from '../errors.ts'
import { apiKeyOf } from '../protocol/api-key.ts'
import type { AuditRecord } from '../telemetry/audit-log.ts'

export interface ReadRecord {
  readonly outcome: AuditRecord['outcome']
  readonly why: string
  readonly principal: string
  readonly api: string
  readonly operation: Operation
  readonly type: ResourceType
  readonly name: string
  readonly cluster: string
  /** The client's address. */
  readonly host: string
  /** A record stands for itself, or for those that came after it. */
  readonly times: number
}

export interface BadLine {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly why: string
}

const LINE_BYTES_MAX = 1_048_576
const LINE_FEED = 0x0a

export interface AuditStreamOptions {
  /** `-` is standard input. */
  readonly file: string
  readonly onRecord: (record: ReadRecord) => void
  readonly onBad: (bad: BadLine) => void
}

export async function readAuditStream({ file, onRecord, onBad }: AuditStreamOptions): Promise<void> {
  let number = 0
  const take = (bytes: Buffer | undefined): void => {
    number++
    const read = bytes === undefined ? `is longer than ${LINE_BYTES_MAX / 1_048_576} MiB` : readLine(bytes)
    if (typeof read === 'string') onBad({ file, line: number, why: read })
    else if (read !== undefined) onRecord(read)
  }
  const lines = new Lines(take)
  try {
    const stream: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file)
    for await (const chunk of stream) lines.add(chunk)
    lines.end()
  } catch (cause) {
    if (cause instanceof VkitmError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new VkitmError('VKITM_POLICY', `${file} cannot be read: ${why}`, { cause })
  }
}

/** Cuts chunks into lines. One that is too long is told as undefined, and nothing of it is kept. */
class Lines {
  readonly #take: (line: Buffer | undefined) => void
  #begun: Buffer[] = []
  #begunBytes = 0

  constructor(take: (line: Buffer | undefined) => void) {
    this.#take = take
  }

  add(chunk: Buffer): void {
    let start = 0
    for (let feed = chunk.indexOf(LINE_FEED); feed !== -1; feed = chunk.indexOf(LINE_FEED, start)) {
      this.#keep(chunk.subarray(start, feed))
      this.#close()
      start = feed + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
  }

  end(): void {
    if (this.#begunBytes > 0) this.#close()
  }

  #keep(piece: Buffer): void {
    this.#begunBytes += piece.length
    if (this.#begunBytes > LINE_BYTES_MAX) this.#begun = []
    else this.#begun.push(piece)
  }

  #close(): void {
    const [first, ...more] = this.#begun
    const whole = first !== undefined && more.length === 0 ? first : Buffer.concat(this.#begun)
    this.#take(this.#begunBytes > LINE_BYTES_MAX ? undefined : whole)
    this.#begun = []
    this.#begunBytes = 0
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A record, undefined for a line of the log, or what is wrong with it. */
function readLine(bytes: Buffer): ReadRecord | string | undefined {
  let line: unknown
  try {
    const text = utf8.decode(bytes)
    if (text.trim() === '') return undefined
    line = JSON.parse(text)
  } catch {
    return 'is no line of JSON: cut off, or not of an audit stream'
  }
  if (typeof line !== 'object' || line === null || Array.isArray(line)) return 'is no audit record'
  const fields = line as Readonly<Record<string, unknown>>
  return fields.level === 'audit' ? readFields(fields) : undefined
}

const outcomes: ReadonlySet<unknown> = new Set(['allowed', 'denied', 'wouldDeny', 'shadowAllows', 'shadowDenies'])

function readFields(fields: Readonly<Record<string, unknown>>): ReadRecord | string | undefined {
  const { outcome, why, principal, api, operation, resourceType: type, resource: name, cluster, client } = fields
  const { repeated: times = 1, more } = fields
  if (!outcomes.has(outcome)) return `has no outcome that is known: ${shown(outcome)}`
  if (more !== undefined) {
    const isLost = outcome === 'allowed' || outcome === 'wouldDeny'
    return isLost ? `stands for ${shown(more)} decisions whose names are not written down` : undefined
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a principal has none.
  if (typeof principal !== 'string' || !/^User:[^\u0000-\u001f]+$/.test(principal))
    return `names no principal: ${shown(principal)}`
  if (typeof api !== 'string' || apiKeyOf(api) === undefined) return `names no API: ${shown(api)}`
  if (typeof type !== 'string' || !isResourceType(type)) return `names no type of resource: ${shown(type)}`
  if (typeof operation !== 'string' || !isOperation(operation)) return `names no operation: ${shown(operation)}`
  if (!supportedOperations[type].includes(operation) && !(type === 'cluster' && operation === 'delete'))
    return `${operation} is never asked of a ${type}`
  if (typeof name !== 'string') return `names no resource: ${shown(name)}`
  if (typeof cluster !== 'string') return `names no cluster: ${shown(cluster)}`
  const host = typeof client === 'string' ? hostOf(client) : ''
  if (isIP(host) === 0) return `has no client's address: ${shown(client)}`
  if (!Number.isSafeInteger(times) || Number(times) < 1) return `repeats ${shown(times)} times`
  return {
    outcome: outcome as AuditRecord['outcome'],
    why: typeof why === 'string' ? why : '',
    principal,
    api,
    operation,
    type,
    name,
    cluster,
    host,
    times: Number(times),
  }
}

/** Of `host:port`; a zone names an interface of the gateway, not a client. */
const hostOf = (client: string): string => client.slice(0, client.lastIndexOf(':')).replace(/%.*$/, '')

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60)
