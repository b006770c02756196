/** The life of a running gateway: signals in, one exit code out. */
import type { EventEmitter } from 'node:events'
import type { Logger } from '../telemetry/log.ts'
import { ExitCode } from './command.ts'

export interface Service {
  /** Answers what is in flight, then stops. */
  drain(): Promise<void>
  /** Stops at once. */
  stop(): Promise<void>
  reload(): Promise<void>
}

export interface ServeOptions {
  readonly log: Logger
  /** `process`, but for tests. */
  readonly signals: EventEmitter
}

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const

/** Resolves when the service has ended: the first SIGTERM or SIGINT drains, a second one stops at once; SIGHUP reloads. */
export async function serve(service: Service, { log, signals }: ServeOptions): Promise<ExitCode> {
  let reloading = Promise.resolve()
  const reload = () => {
    reloading = reloading.then(() => reloadOnce(service, log))
  }
  signals.on('SIGHUP', reload)
  const code = await new Promise<ExitCode>(resolve => {
    let draining = false
    const end = (signal: string) => {
      const first = !draining
      draining = true
      void (first ? drain(service, log, signal) : stopAtOnce(service, log, signal)).then(resolve)
    }
    for (const signal of STOP_SIGNALS) signals.on(signal, end)
  })
  signals.off('SIGHUP', reload)
  return code
}

async function reloadOnce(service: Service, log: Logger): Promise<void> {
  try {
    await service.reload()
  } catch (err) {
    log.error({ err }, 'reload failed: what was in force stays in force')
  }
}

async function drain(service: Service, log: Logger, signal: string): Promise<ExitCode> {
  log.info({ details: { signal } }, 'draining: no new connections; requests in flight are answered')
  try {
    await service.drain()
    log.info({}, 'stopped')
    return ExitCode.fine
  } catch (err) {
    log.error({ err }, 'draining failed')
    return ExitCode.failed
  }
}

async function stopAtOnce(service: Service, log: Logger, signal: string): Promise<ExitCode> {
  log.warn({ details: { signal } }, 'stopping at once: requests in flight stay unanswered')
  try {
    await service.stop()
  } catch (err) {
    log.error({ err }, 'stopping failed')
  }
  return ExitCode.failed
}
