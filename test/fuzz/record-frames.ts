// Writes recorded-frames.json: what real clients and a broker say to each other, one exchange for each client, API and
// version. Run by hand when a client is new: node build/test/fuzz/record-frames.js (needs kcat, Java and Maven).
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { type EmbeddedCluster, startEmbeddedCluster } from '../../src/embedded/embedded-cluster.ts'
import { readRequestHeader } from '../../src/protocol/request-header.ts'
import { FrameSplitter } from '../../src/wire/frame-splitter.ts'
import { Reader } from '../../src/wire/reader.ts'
import { freePortRange } from '../support/free-ports.ts'
import { runTool } from '../support/kafka-tools.ts'
import type { RecordedExchange } from './recorded-frames.ts'

const nodes = 2
const bounds = { payloadBytesMin: 1, payloadBytesMax: 2 ** 30 }
const exchanges = new Map<string, RecordedExchange>()
let client = ''

function record(request: Buffer, response: Buffer | undefined): void {
  const reader = new Reader(request)
  reader.skip(4)
  const { apiKey, apiVersion } = readRequestHeader(reader)
  const key = `${client} ${apiKey} ${apiVersion}`
  if (request.length > 4_000 || (response?.length ?? 0) > 8_000 || exchanges.has(key)) return
  exchanges.set(key, {
    client,
    apiKey,
    apiVersion,
    request: request.toString('base64'),
    response: response?.toString('base64') ?? null,
  })
}

/** Passes bytes on in both directions, and records the frames as they pair. */
function tap(socket: Socket, port: number): void {
  const upstream = connect({ host: '127.0.0.1', port })
  const [asked, answered] = [new FrameSplitter(bounds), new FrameSplitter(bounds)]
  const waiting: Buffer[] = []
  socket.on('data', chunk => {
    upstream.write(chunk)
    asked.push(chunk)
    for (let frame = asked.next(); frame !== undefined; frame = asked.next()) waiting.push(Buffer.concat(frame.chunks))
  })
  upstream.on('data', chunk => {
    socket.write(chunk)
    answered.push(chunk)
    for (let frame = answered.next(); frame !== undefined; frame = answered.next()) {
      const request = waiting.shift()
      if (request !== undefined) record(request, Buffer.concat(frame.chunks))
    }
  })
  for (const [one, other] of [
    [socket, upstream],
    [upstream, socket],
  ] as const) {
    one.on('close', () => other.destroy())
    one.on('error', () => other.destroy())
  }
}

async function withKafkajs(brokers: string[]): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers, clientId: 'kafkajs', logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'js', numPartitions: 2, replicationFactor: 1 }] })
  const producer = kafka.producer({ idempotent: true, createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic: 'js', messages: [{ key: 'k', value: 'größe', headers: { h: 'v' } }] })
  const consumer = kafka.consumer({ groupId: 'js-group' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'js', fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer.run({ eachMessage: async () => resolve() }).catch(reject)
  })
  await consumer.commitOffsets([{ topic: 'js', partition: 0, offset: '1' }])
  await consumer.disconnect()
  await admin.describeGroups(['js-group'])
  await admin.listGroups()
  await admin.fetchTopicOffsets('js')
  await admin.describeCluster()
  await admin.deleteTopics({ topics: ['js'] })
  await producer.disconnect()
  await admin.disconnect()
}

async function kcat(args: string[], input = ''): Promise<void> {
  const child = spawn('kcat', args, { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(input)
  await once(child, 'close')
}

async function withKcat(bootstrap: string): Promise<void> {
  await kcat(
    ['-b', bootstrap, '-P', '-t', 'kcat', '-K:', '-X', 'enable.idempotence=true', '-H', 'h=v'],
    'k:one\nk:two\n',
  )
  await kcat(['-b', bootstrap, '-C', '-t', 'kcat', '-e', '-q'])
  await kcat(['-b', bootstrap, '-G', 'kcat-group', '-e', '-q', '-X', 'auto.offset.reset=earliest', 'kcat'])
  await kcat(['-b', bootstrap, '-L'])
}

async function withJava(bootstrap: string): Promise<void> {
  const tool = (name: Parameters<typeof runTool>[0], args: string[]) =>
    runTool(name, ['--bootstrap-server', bootstrap, ...args], { timeoutMs: 60_000 })
  await tool('TopicCommand', ['--create', '--topic', 'java', '--partitions', '2', '--replication-factor', '1'])
  await tool('VerifiableProducer', ['--topic', 'java', '--max-messages', '20', '--acks', '-1'])
  await tool('VerifiableConsumer', [
    '--topic',
    'java',
    '--max-messages',
    '20',
    '--group-id',
    'java-group',
    '--reset-policy',
    'earliest',
  ])
  await tool('TopicCommand', ['--describe'])
  await tool('TopicCommand', ['--delete', '--topic', 'java'])
}

const first = await freePortRange(nodes)
const cluster: EmbeddedCluster = await startEmbeddedCluster({
  nodes,
  autoCreateTopics: true,
  advertise: nodeId => ({ host: '127.0.0.1', port: first + nodeId - 1 }),
})
const taps = cluster.nodes.map(({ id, port }) =>
  createServer(socket => tap(socket, port)).listen(first + id - 1, '127.0.0.1'),
)
const bootstrap = `127.0.0.1:${first}`
for (const [name, run] of [
  ['kafkajs', () => withKafkajs([bootstrap])],
  ['librdkafka', () => withKcat(bootstrap)],
  ['java', () => withJava(bootstrap)],
] as const) {
  client = name
  await run()
}
for (const server of taps) server.close()
await cluster.stop()
const sorted = [...exchanges.values()].sort(
  (one, other) =>
    one.client.localeCompare(other.client) || one.apiKey - other.apiKey || one.apiVersion - other.apiVersion,
)
const file = join(import.meta.dirname, '..', '..', '..', 'test', 'fuzz', 'recorded-frames.json')
writeFileSync(file, `[\n${sorted.map(each => JSON.stringify(each)).join(',\n')}\n]\n`)
console.log(`${sorted.length} exchanges of ${new Set(sorted.map(each => each.apiKey)).size} APIs`)
process.exit(0)
