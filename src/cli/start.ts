import { loadConfig } from '../config/load-config.ts'
import { UsageError } from '../errors.ts'
import { AuditFile } from '../gateway/audit-file.ts'
import { startGateway } from '../gateway/gateway.ts'
import { LineSink } from '../telemetry/line-sink.ts'
import { createLog, type Log } from '../telemetry/log.ts'
import { type Command, ExitCode, parseOptions } from './command.ts'
import { signalsHere } from './handed-on-signals.ts'
import { serve } from './service.ts'
import { endWithParent } from './tuned-process.ts'

/** A log whose reader stalls must not keep the process from ending. */
const LOG_FLUSH_MS = 2_000

export const start: Command = {
  usage: '--config FILE',
  summary: 'runs the gateway; SIGTERM drains, SIGHUP reloads',
  async run(args) {
    const { values } = parseOptions({ args: [...args], options: { config: { type: 'string', short: 'c' } } })
    if (values.config === undefined) throw new UsageError('start needs --config FILE')
    endWithParent()
    const signals = signalsHere()
    const config = await loadConfig(values.config)
    const output = new LineSink({ fd: 1 })
    const log = createLog({ level: config.log.level, destination: output })
    let audit: AuditFile | undefined
    const flushed = () => Promise.all([log.flushed(LOG_FLUSH_MS), audit?.sink.flushed(LOG_FLUSH_MS)])
    dieLoudly(log, flushed)
    for (const { path, message } of config.warnings) log.warn({}, `${path} ${message}`)
    try {
      const { file, required } = config.audit
      audit = file === undefined ? undefined : await AuditFile.open({ path: file, isRequired: required })
      const reloadables = audit === undefined ? [] : [audit]
      const gateway = await startGateway(config, { log, audit: audit?.sink ?? output, reloadables })
      log.info({ details: { addresses: gateway.addresses, admin: gateway.admin } }, 'vkitm is ready')
      return await serve(gateway, { log, signals })
    } catch (err) {
      log.fatal({ err }, 'vkitm did not start')
      return ExitCode.failed
    } finally {
      await flushed()
    }
  },
}

/** What nobody caught is a mistake of ours outside every session: the process says so and ends. */
function dieLoudly(log: Log, flushed: () => Promise<unknown>): void {
  const die = (err: unknown) => {
    log.fatal({ err }, 'unexpected error: vkitm ends')
    void flushed().then(() => process.exit(ExitCode.failed))
  }
  process.on('uncaughtException', die)
  process.on('unhandledRejection', die)
}
