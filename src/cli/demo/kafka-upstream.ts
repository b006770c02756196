/** One real Apache Kafka broker, its own controller, in a folder that goes away with it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { UpstreamError, VkitmError } from '../../errors.ts'
import { newClusterId } from './cluster-id.ts'
import { DemoClient } from './demo-client.ts'
import { finished } from './finished.ts'
import { findPort } from './free-ports.ts'
import { expectJava, kafkaClassPath, kafkaVersion } from './kafka-jars.ts'
import { type DemoUpstream, excerpt } from './upstream.ts'

const host = '127.0.0.1'
const readyMs = 60_000
const formatMs = 60_000
/** A short life on a small machine. */
const jvmFlags = [
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
]

export async function startKafkaUpstream(folder: string, say: (text: string) => void): Promise<DemoUpstream> {
  expectJava()
  const jars = await kafkaClassPath(() =>
    say(`Maven brings Apache Kafka ${kafkaVersion}: this takes a minute the first time`),
  )
  await mkdir(folder)
  const port = await findPort()
  const properties = join(folder, 'server.properties')
  const data = join(folder, 'data')
  await writeFile(properties, serverProperties({ port, controllerPort: await findPort(), data }))
  const java = [...jvmFlags, '-cp', jars]
  const clusterId = newClusterId()
  await finished('java', [...java, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties], {
    timeoutMs: formatMs,
  })
  const broker = new KafkaBroker(join(folder, 'broker.log'), [...java, 'kafka.Kafka', properties])
  try {
    await broker.ready(port)
  } catch (error) {
    await broker.stop()
    throw error
  }
  return {
    about: `1 broker of Apache Kafka ${kafkaVersion}, plaintext`,
    bootstrap: [`${host}:${port}`],
    excerptWith: text => findInLogs(data, text),
    stop: () => broker.stop(),
  }
}

/** A broker keeps batches as they reached it: its log segments show what was sent. */
async function findInLogs(data: string, text: string): Promise<Buffer | undefined> {
  const names = await readdir(data, { recursive: true })
  for (const name of names.filter(each => each.endsWith('.log'))) {
    const found = excerpt(await readFile(join(data, name)), text)
    if (found !== undefined) return found
  }
  return undefined
}

class KafkaBroker {
  readonly #child: ChildProcess
  readonly #logFile: string
  /** However this process ends, its broker ends too. */
  readonly #kill = (): void => void this.#child.kill('SIGKILL')

  constructor(logFile: string, args: readonly string[]) {
    this.#logFile = logFile
    const log = openSync(logFile, 'a')
    // A group of its own: Ctrl-C is for us, and we end it once clients have been answered.
    this.#child = spawn('java', args, { stdio: ['ignore', log, log], detached: true })
    closeSync(log)
    process.once('exit', this.#kill)
  }

  async ready(port: number): Promise<void> {
    for (const deadline = Date.now() + readyMs; Date.now() < deadline; await delay(100)) {
      if (this.#child.exitCode !== null) break
      if (await isServing(port)) return
    }
    const tail = (await readFile(this.#logFile, 'utf8')).trim().split('\n').slice(-10).join('\n')
    throw new VkitmError('VKITM_DEMO', `Apache Kafka did not start:\n${tail}`)
  }

  async stop(): Promise<void> {
    process.off('exit', this.#kill)
    if (this.#child.exitCode !== null) return
    const ended = new Promise(resolve => this.#child.once('exit', resolve))
    // Its data goes away with it: nothing to save.
    this.#child.kill('SIGKILL')
    await ended
  }
}

/** Does it answer, and count itself among the brokers? */
async function isServing(port: number): Promise<boolean> {
  const client = new DemoClient({ host, port })
  try {
    return (await client.brokers()).length > 0
  } catch (error) {
    const isRefused = error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'
    if (isRefused || error instanceof UpstreamError) return false
    throw error
  } finally {
    client.close()
  }
}

interface ServerOptions {
  readonly port: number
  readonly controllerPort: number
  readonly data: string
}

function serverProperties({ port, controllerPort, data }: ServerOptions): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@${host}:${controllerPort}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://${host}:${port},CONTROLLER://${host}:${controllerPort}
advertised.listeners=PLAINTEXT://${host}:${port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${data}
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=2097152
`
}
