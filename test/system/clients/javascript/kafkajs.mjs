// kafkajs. When a leader dies and its partition moves to a broker that has already answered for its own part of the
// batch, `send` of 2.2.4 resolves without having sent that partition's records anywhere (sendMessages.js asks each
// broker once per call); its result then lacks the partition, which is how an application can tell.
import { readFileSync } from 'node:fs'
import { Kafka, logLevel, Partitioners } from 'kafkajs'
import { produceInBatches, Reading, read, readJob, recordOf, retried, tlsOf } from './job.mjs'

const job = readJob()
const kafka = new Kafka({
  clientId: 'kafkajs',
  brokers: job.bootstrap,
  ssl: tlsOf(job),
  ...(job.sasl === undefined ? {} : { sasl: login(job.sasl) }),
  connectionTimeout: 3_000,
  requestTimeout: 5_000,
  retry: { initialRetryTime: 200, maxRetryTime: 1_000, retries: 60 },
  logCreator: () => entry => {
    const { message, retryCount } = entry.log
    if (entry.level <= logLevel.ERROR && retryCount !== undefined) retried(message)
  },
})

function login({ mechanism, tokenFile, ...password }) {
  const oauthBearerProvider = async () => ({ value: readFileSync(tokenFile, 'utf8') })
  return { mechanism: mechanism.toLowerCase(), ...(tokenFile === undefined ? password : { oauthBearerProvider }) }
}

async function produce() {
  const partitions = new Map()
  const choose = Partitioners.DefaultPartitioner()
  const producer = kafka.producer({
    idempotent: job.idempotent,
    maxInFlightRequests: 1,
    createPartitioner: () => asked => {
      const partition = choose(asked)
      partitions.set(Number(asked.message.headers.n), partition)
      return partition
    },
  })
  await producer.connect()
  await produceInBatches(job, {
    size: 100,
    partitionOf: i => partitions.get(i),
    send: async numbers => {
      const messages = numbers.map(i => recordOf(job, i)).map(each => ({ ...each, timestamp: `${each.timestamp}` }))
      const stored = await producer.send({ topic: job.topic, acks: -1, messages })
      return stored.map(({ partition, baseOffset }) => [partition, Number(baseOffset)])
    },
  })
  await producer.disconnect()
}

async function consume() {
  const consumer = kafka.consumer({ groupId: job.group, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topics: [job.topic], fromBeginning: true })
  const reading = new Reading(job)
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const { offset, timestamp, headers } = message
      read({
        ...message,
        partition,
        offset: Number(offset),
        timestamp: Number(timestamp),
        headers: Object.entries(headers),
      })
      reading.seen(headers.n)
    },
  })
  await reading.ended()
  await consumer.disconnect()
}

await produce()
await consume()
