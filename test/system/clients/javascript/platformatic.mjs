// @platformatic/kafka.
import { Consumer, defaultPartitioner, Producer } from '@platformatic/kafka'
import { produceInBatches, Reading, read, readJob, recordOf, retried, tlsOf } from './job.mjs'

const allReplicas = -1
const job = readJob()
const connection = {
  clientId: 'platformatic',
  bootstrapBrokers: job.bootstrap,
  tls: tlsOf(job),
  connectTimeout: 3_000,
  requestTimeout: 5_000,
  retries: 5,
  retryDelay: 200,
}

async function produce() {
  const partitions = new Map()
  const producer = new Producer({
    ...connection,
    idempotent: job.idempotent,
    acks: allReplicas,
    repeatOnStaleMetadata: true,
    partitioner: (message, key) => {
      const partition = defaultPartitioner(message, key) % job.partitions
      partitions.set(Number(message.headers.get(nameOf('n'))), partition)
      return partition
    },
  })
  producer.on('client:performWithRetry:retry', (operation, attempt) => retried(`${operation} after attempt ${attempt}`))
  await produceInBatches(job, {
    size: 100,
    partitionOf: i => partitions.get(i),
    send: numbers => send(producer, numbers),
  })
  await producer.close()
}

/** The library retries with the leader it knew, then gives up and says which partitions it had stored by then. */
async function send(producer, numbers) {
  try {
    return offsetsOf(await producer.send({ messages: numbers.map(messageOf) }))
  } catch (error) {
    retried(`${error.message}: ${error.errors?.map(each => each.message).join('; ')}`)
    producer.clearMetadata()
    return offsetsOf(error.produced)
  }
}

const offsetsOf = result => (result?.offsets ?? []).map(({ partition, offset }) => [partition, Number(offset)])

const names = new Map()
const nameOf = name => names.get(name) ?? names.set(name, Buffer.from(name)).get(name)

function messageOf(i) {
  const { key, value, timestamp, headers } = recordOf(job, i)
  const byBytes = new Map(Object.entries(headers).map(([name, bytes]) => [nameOf(name), bytes]))
  return { topic: job.topic, key, value, timestamp: BigInt(timestamp), headers: byBytes }
}

async function consume() {
  const consumer = new Consumer({ ...connection, groupId: job.group, maxWaitTime: 100 })
  const stream = await consumer.consume({ topics: [job.topic], mode: 'earliest', autocommit: true })
  const reading = new Reading(job)
  stream.on('data', message => {
    const { partition, offset, timestamp, key, value } = message
    const headers = [...message.headers].map(([name, bytes]) => [name.toString(), bytes])
    read({ partition, offset: Number(offset), timestamp: Number(timestamp), key, value, headers })
    reading.seen(headers.find(([name]) => name === 'n')?.[1])
  })
  await reading.ended()
  await stream.close()
  await consumer.close(true)
}

await produce()
await consume()
