/**
 * Exchanges policies, users and certificates while the gateway runs: when their files change, on SIGHUP and on POST
 * /reload. One after the other, never half; what cannot be read is loud and leaves the last good one in force.
 */
import { FileWatch, type FileWatchOptions } from '../config/file-watch.ts'
import type { Reloadable } from '../config/reloadable.ts'
import { ConfigError, type Problem } from '../errors.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'

export interface ReloaderOptions {
  readonly reloadables: readonly Reloadable[]
  readonly log: Logger
  readonly metrics: Metrics
  /** When the files were first read: what changed since then is read again at once. */
  readonly since: Date
  readonly watch?: Pick<FileWatchOptions, 'quietMs' | 'quietMsMax' | 'pollMs'>
}

interface History {
  succeeded: number
  failed: number
  /** Seconds since 1970. */
  succeededAt: number
  /** Why the last attempt failed. */
  reason: string | undefined
}

const newHistory = (since: Date): History => ({
  succeeded: 0,
  failed: 0,
  succeededAt: since.getTime() / 1_000,
  reason: undefined,
})

export class Reloader {
  readonly #options: ReloaderOptions
  readonly #histories: ReadonlyMap<Reloadable, History>
  readonly #watch: FileWatch
  #working: Promise<unknown> = Promise.resolve()
  /** Changed and not begun with: what changes all the time is reloaded again and again, not queued. */
  readonly #waiting = new Set<Reloadable>()

  constructor(options: ReloaderOptions) {
    const { reloadables, metrics, since, watch } = options
    this.#options = options
    this.#histories = new Map(reloadables.map(each => [each, newHistory(since)]))
    this.#watch = new FileWatch({ ...watch, since, changed: paths => void this.#changed(paths) })
    this.#register(metrics)
  }

  /** What is not as its files say, one line each; empty where all is. */
  get degraded(): readonly string[] {
    return [...this.#histories].flatMap(([{ name }, { reason }]) =>
      reason === undefined ? [] : [`${name}: ${reason}`],
    )
  }

  /** Begins to watch; resolves once every file has been looked at. */
  start(): Promise<void> {
    return this.#follow()
  }

  close(): void {
    this.#watch.close()
  }

  /** Everything, now. Rejects with a ConfigError about all that failed; whoever asked reports it. */
  async reload(): Promise<void> {
    const failures = await this.#enqueue(this.#options.reloadables)
    const problems = failures.flatMap(({ what, error }) => problemsOf(what, error))
    if (problems.length > 0) throw new ConfigError(problems, { cause: failures[0]?.error })
  }

  async #changed(paths: readonly string[]): Promise<void> {
    const { reloadables, log } = this.#options
    const affected = reloadables
      .filter(({ files }) => files.some(file => paths.includes(file)))
      .filter(each => !this.#waiting.has(each))
    for (const each of affected) this.#waiting.add(each)
    await this.#enqueue(affected, ({ what, error }) =>
      log.error({ err: error, details: { what } }, 'reload failed: what was in force stays in force'),
    )
  }

  #enqueue(reloadables: readonly Reloadable[], failed?: (failure: Failure) => void): Promise<Failure[]> {
    const work = this.#working.then(async () => {
      const failures: Failure[] = []
      for (const each of reloadables) failures.push(...(await this.#reloadOne(each)))
      for (const failure of failures) failed?.(failure)
      await this.#follow()
      return failures
    })
    this.#working = work
    return work
  }

  async #reloadOne(reloadable: Reloadable): Promise<Failure[]> {
    const { name } = reloadable
    const history = this.#histories.get(reloadable)!
    this.#waiting.delete(reloadable)
    try {
      await reloadable.reload()
    } catch (error) {
      history.failed++
      history.reason = error instanceof Error ? error.message : String(error)
      return [{ what: name, error }]
    }
    history.succeeded++
    history.succeededAt = Date.now() / 1_000
    history.reason = undefined
    this.#options.log.info({ details: { what: name } }, 'reloaded')
    return []
  }

  #follow(): Promise<void> {
    return this.#watch.watch(this.#options.reloadables.flatMap(({ files }) => files))
  }

  #register(metrics: Metrics): void {
    const series = (read: (history: History) => number) => (add: (labels: { what: string }, value: number) => void) => {
      for (const [{ name }, history] of this.#histories) add({ what: name }, read(history))
    }
    const labels: 'what'[] = ['what']
    metrics.counters(
      'vkitm_reload_total',
      'Changes of files that came into force',
      labels,
      series(history => history.succeeded),
    )
    metrics.counters(
      'vkitm_reload_failed_total',
      'Changes of files that could not come into force',
      labels,
      series(history => history.failed),
    )
    metrics.gauges(
      'vkitm_reload_success_timestamp_seconds',
      'When what is in force was read',
      labels,
      series(history => history.succeededAt),
    )
  }
}

interface Failure {
  readonly what: string
  readonly error: unknown
}

function problemsOf(what: string, error: unknown): readonly Problem[] {
  if (error instanceof ConfigError) return error.problems
  return [{ path: what, message: error instanceof Error ? error.message : String(error) }]
}
