import { type FileHandle, open } from 'node:fs/promises'
import { VkitmError } from '../../errors.ts'
import { LineSink } from '../../telemetry/line-sink.ts'
import { createLog } from '../../telemetry/log.ts'
import { type Command, ExitCode, parseOptions } from '../command.ts'
import { serve } from '../service.ts'
import { makeOrders } from './orders.ts'
import type { Scene } from './scene.ts'
import { Screen } from './screen.ts'
import { endStory, tell } from './story.ts'
import { suggest } from './suggestions.ts'
import { gatewayHost, Workspace } from './workspace.ts'

/** A log whose disk stalls must not keep the demo from ending. */
const logFlushMs = 2_000
const stopSignals = ['SIGINT', 'SIGTERM'] as const

export const demo: Command = {
  usage: '[--kafka] [--once]',
  summary:
    'brings up brokers, certificates and a gateway, produces and consumes through TLS, refuses who may not, and shows it',
  help: `  --kafka  a real Apache Kafka instead of brokers in memory; needs Java and Maven
  --once   ends when all is shown: with 0 when every step held, else with 1`,
  async run(args) {
    const { values } = parseOptions({
      args: [...args],
      options: { kafka: { type: 'boolean' }, once: { type: 'boolean' } },
    })
    const workspace = await Workspace.create()
    const logFile = await open(workspace.path('gateway.log'), 'a')
    const auditFile = await open(workspace.path('audit.log'), 'a')
    const log = createLog({ level: 'info', destination: new LineSink({ fd: logFile.fd }) })
    const audit = new LineSink({ fd: auditFile.fd })
    const screen = new Screen(process.stdout)
    const isKafka = values.kafka ?? false
    const orders = makeOrders(Date.now())
    const scene: Scene = { screen, workspace, log, audit, isKafka, orders, clients: new Map() }
    try {
      await interruptible(scene, async () => {
        await perform(scene)
        if (!values.once && screen.failures === 0) await stayUp(scene)
      })
    } finally {
      await endStory(scene)
      await leave(scene, [logFile, auditFile])
    }
    return screen.failures === 0 ? ExitCode.fine : ExitCode.failed
  },
}

/** Until the demo is up, Ctrl-C has nothing to drain: it ends at once and leaves nothing behind. */
async function interruptible(scene: Scene, task: () => Promise<void>): Promise<void> {
  const stop = (): void => {
    if (scene.isServed) return
    // On exit, because whoever started programs ends them on exit, too, and began to listen before us.
    process.once('exit', () => scene.workspace.removeNow())
    process.exit(ExitCode.failed)
  }
  for (const signal of stopSignals) process.on(signal, stop)
  try {
    await task()
  } finally {
    for (const signal of stopSignals) process.off(signal, stop)
  }
}

async function perform(scene: Scene): Promise<void> {
  const { screen } = scene
  const started = performance.now()
  screen.title('vkitm', 'a TLS-terminating security gateway for Apache Kafka')
  try {
    await tell(scene)
  } catch (error) {
    screen.check(error instanceof Error ? error.message : String(error), false)
    // Foreseen failures are told in full; anything else is a mistake of ours and shows its stack, too.
    if (!(error instanceof VkitmError)) throw error
  }
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  const { failures } = screen
  screen.verdict(failures === 0 ? `Every step held, in ${seconds} s.` : `${failures} of the checks did not hold.`)
}

/** Until Ctrl-C. */
async function stayUp(scene: Scene): Promise<void> {
  const { screen, workspace, log, gateway, ports } = scene
  if (gateway === undefined) return
  // From here on signals drain; before anybody reads that it is up.
  scene.isServed = true
  const ended = serve(gateway, { log, signals: process })
  suggest(screen, {
    bootstrap: `${gatewayHost}:${ports?.bootstrap}`,
    program: `node ${process.argv[1]}`,
    path: (...names) => workspace.path(...names),
    admin: gateway.admin,
  })
  screen.title('Up until Ctrl-C', workspace.folder)
  await ended
  scene.gateway = undefined
}

/** The folder stays where something failed, for whoever looks into it. */
async function leave({ screen, workspace, log, audit }: Scene, files: readonly FileHandle[]): Promise<void> {
  await Promise.all([log.flushed(logFlushMs), audit.flushed(logFlushMs)])
  await Promise.all(files.map(file => file.close()))
  if (screen.failures === 0) await workspace.remove()
  else screen.say(`see ${workspace.path('gateway.log')}`)
}
