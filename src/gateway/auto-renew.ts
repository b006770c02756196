/**
 * Renews what the CA in our own folder issued and this gateway serves with, before it expires. It only writes files:
 * the watcher finds them, and they come into force as anybody else's would.
 */
import type { X509Certificate } from 'node:crypto'
import { basename, dirname } from 'node:path'
import type { AutoRenewConfig, Config, IdentitySource } from '../config/config.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { AuthorityFolder } from './authority-folder.ts'

export interface AutoRenewOptions extends AutoRenewConfig {
  /** Names of certificates in the folder. */
  readonly names: readonly string[]
  readonly log: Logger
  readonly metrics: Metrics
  readonly now?: () => Date
}

const DAY_MS = 86_400_000
const LOOK_MS = 3_600_000
/** A certificate of a day is renewed when a third of it is left, whatever `beforeDays` says. */
const PART_OF_LIFE = 1 / 3

export class AutoRenew {
  readonly #options: Required<AutoRenewOptions>
  readonly #timer: NodeJS.Timeout
  #renewed = 0
  #failed = 0
  #reasons: readonly string[] = []

  constructor({ now = () => new Date(), ...options }: AutoRenewOptions) {
    this.#options = { now, ...options }
    this.#timer = setInterval(() => void this.look(), LOOK_MS)
    this.#timer.unref()
    const { metrics } = options
    metrics.counter('vkitm_renewals_total', 'Certificates renewed by the own CA', () => this.#renewed)
    metrics.counter('vkitm_renewals_failed_total', 'Certificates that could not be renewed', () => this.#failed)
  }

  /** Why the last look failed, one line each. */
  get degraded(): readonly string[] {
    return this.#reasons
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async look(): Promise<void> {
    const { dir, names, now } = this.#options
    const reasons: string[] = []
    const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
      try {
        await work()
      } catch (error) {
        this.#failed++
        this.#options.log.error({ err: error, details: { what } }, 'not renewed')
        reasons.push(`${what} is not renewed: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    await attempt(dir, async () => {
      const authority = await AuthorityFolder.open(dir)
      for (const name of names) await attempt(name, () => this.#renew(authority, name, now()))
      await attempt('the revocation lists', () => this.#renewLists(authority, now()))
    })
    this.#reasons = reasons
  }

  async #renew(authority: AuthorityFolder, name: string, now: Date): Promise<void> {
    const [leaf] = await authority.chainOf(name)
    if (leaf === undefined || !isDue(leaf, this.#options.beforeDays, now)) return
    const revoked = await authority.revocations()
    if (revoked.some(({ serial }) => serial === leaf.serialNumber)) {
      throw new Error('it is revoked: issue another one')
    }
    await authority.renew({ name, isNewKey: false, now })
    this.#renewed++
    this.#options.log.info({ details: { what: name } }, 'certificate renewed')
  }

  /** Lists last for 30 days; half of that is early enough for everybody who has to fetch them. */
  async #renewLists(authority: AuthorityFolder, now: Date): Promise<void> {
    if ((await authority.listsEnd()).getTime() - now.getTime() > 15 * DAY_MS) return
    await authority.writeLists(now)
    this.#options.log.info({}, 'revocation lists renewed')
  }
}

function isDue({ validFrom, validTo }: X509Certificate, beforeDays: number, now: Date): boolean {
  const [from, until] = [Date.parse(validFrom), Date.parse(validTo)]
  return until - now.getTime() < Math.min(beforeDays * DAY_MS, (until - from) * PART_OF_LIFE)
}

/** The certificates of a configuration that lie in `dir`. */
export function namesServedFrom(dir: string, { clusters }: Config): string[] {
  const identities = clusters.flatMap(({ upstream, listeners }) => [
    upstream.tls?.identity,
    ...listeners.map(({ tls }) => tls?.identity),
  ])
  return [...new Set(identities.flatMap(identity => nameIn(dir, identity)))]
}

function nameIn(dir: string, identity: IdentitySource | undefined): string[] {
  if (identity?.kind !== 'pem' || dirname(identity.certificate.path) !== dir) return []
  return [basename(identity.certificate.path, '.pem')]
}
