/** Says in time that certificates and revocation lists end: in a metric, and in the log at 30, 7 and 1 days. */
import type { Logger } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { TlsIdentity } from '../tls/tls-identity.ts'
import type { Trust } from '../tls/trust.ts'

export interface Expiring {
  readonly what: string
  readonly kind: 'certificate' | 'authority' | 'revocation list'
  /** For people. */
  readonly subject: string
  /** For lists, which are short-lived by nature: when they began. */
  readonly from?: Date
  readonly until: Date
}

interface InForce {
  readonly identity: Pick<TlsIdentity, 'chain'> | undefined
  readonly trust: Trust | undefined
}

/** Of each kind the one that ends first. */
export function expiriesOf(what: string, { identity, trust }: InForce): Expiring[] {
  const certificates = (identity?.chain ?? []).map(({ subject, validTo }): Expiring => {
    return { what, kind: 'certificate', subject: oneLine(subject), until: new Date(validTo) }
  })
  const authorities = (trust?.certificates ?? []).map(({ subject, validTo }): Expiring => {
    return { what, kind: 'authority', subject: oneLine(subject), until: new Date(validTo) }
  })
  const lists = (trust?.revocations ?? []).flatMap(({ thisUpdate: from, nextUpdate: until }): Expiring[] => {
    return until === undefined ? [] : [{ what, kind: 'revocation list', subject: 'revocation list', from, until }]
  })
  return [certificates, authorities, lists].flatMap(firstToEnd)
}

function firstToEnd(expiring: readonly Expiring[]): readonly Expiring[] {
  const [first] = expiring.toSorted((a, b) => a.until.getTime() - b.until.getTime())
  return first === undefined ? [] : [first]
}

const oneLine = (subject: string | undefined): string => subject?.replaceAll('\n', ', ') ?? ''

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const DAYS = [30, 7, 1, 0] as const

export interface ExpiryWatchOptions {
  readonly expiries: () => readonly Expiring[]
  readonly log: Logger
  readonly metrics: Metrics
  readonly now?: () => Date
}

export class ExpiryWatch {
  readonly #options: Required<ExpiryWatchOptions>
  /** What was said last, and when, by what it was said of. */
  readonly #said = new Map<string, { readonly stage: number; readonly atMs: number }>()
  readonly #timer: NodeJS.Timeout

  constructor({ now = () => new Date(), ...options }: ExpiryWatchOptions) {
    this.#options = { now, ...options }
    this.#timer = setInterval(() => this.check(), HOUR_MS)
    this.#timer.unref()
    this.#options.metrics.gauges(
      'vkitm_certificate_expiry_timestamp_seconds',
      'When the first certificate or list of its kind ends',
      ['what', 'kind'],
      add => {
        for (const { what, kind, until } of this.#options.expiries()) add({ what, kind }, until.getTime() / 1_000)
      },
    )
    this.check()
  }

  /** What has ended already or will within a day, one line each. */
  get degraded(): readonly string[] {
    return this.#options.expiries().flatMap(expiring => {
      const stage = this.#stageOf(expiring)
      return stage === undefined || stage > 1 ? [] : [sentenceOf(expiring, stage)]
    })
  }

  check(): void {
    const { expiries, log, now } = this.#options
    const nowMs = now().getTime()
    for (const expiring of expiries()) {
      const { what, kind, until } = expiring
      const key = `${what} ${kind} ${until.getTime()}`
      const stage = this.#stageOf(expiring)
      const said = this.#said.get(key)
      if (stage === undefined || !isNews(stage, said, nowMs)) continue
      this.#said.set(key, { stage, atMs: nowMs })
      log[stage > 1 ? 'warn' : 'error']({ details: { what, kind, until } }, sentenceOf(expiring, stage))
    }
    this.#forget()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** The smallest of 30, 7, 1, 0 days that is not left any more; undefined while there is time. */
  #stageOf({ from, until }: Expiring): number | undefined {
    const leftMs = until.getTime() - this.#options.now().getTime()
    if (from === undefined) return DAYS.findLast(days => leftMs <= days * DAY_MS)
    if (leftMs <= 0) return 0
    return leftMs < (until.getTime() - from.getTime()) / 4 ? 1 : undefined
  }

  #forget(): void {
    const current = new Set(
      this.#options.expiries().map(({ what, kind, until }) => `${what} ${kind} ${until.getTime()}`),
    )
    for (const key of this.#said.keys()) if (!current.has(key)) this.#said.delete(key)
  }
}

/** At the last day and after the end it is said every day. */
function isNews(stage: number, said: { stage: number; atMs: number } | undefined, nowMs: number): boolean {
  return said === undefined || said.stage !== stage || (stage <= 1 && nowMs - said.atMs >= DAY_MS)
}

function sentenceOf({ what, kind, subject, until }: Expiring, stage: number): string {
  const which = kind === 'revocation list' ? `${what}: a revocation list` : `${what}: the ${kind} ${subject}`
  return stage === 0 ? `${which} ended on ${until.toISOString()}` : `${which} ends on ${until.toISOString()}`
}
