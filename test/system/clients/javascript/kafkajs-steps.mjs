// kafkajs, told step by step what to do.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'

const pollMs = 50
/** Whatever takes longer is a hang. */
const patienceMs = 8_000

class Answer {
  #started = Date.now()
  stored = {}
  read = {}
  errors = new Set()

  count(counts, topic, by = 1) {
    counts[topic] = (counts[topic] ?? 0) + by
  }

  /** Kafka's name of an error, or the library's; it wraps its own around those it gave up on. */
  failed(error, about) {
    // Of several topics or groups, several errors.
    for (const each of error.errors ?? error.groups?.map(group => group.error) ?? [error])
      this.errors.add(nameOf(each, about))
  }

  toJSON() {
    const { stored, read } = this
    return { stored, read, errors: [...this.errors].sort(), tookMs: Date.now() - this.#started }
  }
}

function nameOf(error, about) {
  for (let each = error; each !== undefined && each !== null; each = each.cause ?? each.originalError) {
    if (each.type !== undefined) return `${each.type} ${about}`
  }
  return `${error.name} ${about}: ${error.message}`
}

const kafkaOf = ({ bootstrap, ca, certificate, key }) =>
  new kafkajs.Kafka({
    clientId: 'kafkajs',
    brokers: bootstrap,
    ssl: { ca: [readFileSync(ca)], cert: readFileSync(certificate), key: readFileSync(key) },
    connectionTimeout: 3_000,
    requestTimeout: 5_000,
    logLevel: kafkajs.logLevel.NOTHING,
  })

const messagesFor = ({ records, value }) => Array.from({ length: records }, (_, i) => ({ value: `${value}${i}` }))

async function produce(step, answer) {
  // Not idempotent: kafkajs then retries for ever, whatever the error.
  const producer = kafkaOf(step).producer()
  await producer.connect()
  try {
    const topicMessages = step.topics.map(topic => ({ topic, messages: messagesFor(step) }))
    const stored = await producer.sendBatch({ topicMessages })
    for (const { topicName } of stored) answer.count(answer.stored, topicName, step.records)
  } finally {
    await producer.disconnect()
  }
}

async function transact(step, answer) {
  const producer = kafkaOf(step).producer({ transactionalId: step.transactionalId, maxInFlightRequests: 1 })
  await producer.connect()
  try {
    const transaction = await producer.transaction()
    const topicMessages = step.topics.map(topic => ({ topic, messages: [{ value: 'in a transaction' }] }))
    try {
      await transaction.sendBatch({ topicMessages })
      await transaction.commit()
      for (const topic of step.topics) answer.count(answer.stored, topic)
    } catch (error) {
      answer.failed(error, step.do)
      await transaction.abort()
    }
  } finally {
    await producer.disconnect()
  }
}

/** Goes on for a while after it has seen what it waits for: does the library calm down? */
async function consume(step, answer) {
  const consumer = kafkaOf(step).consumer({
    groupId: step.group,
    maxWaitTimeInMs: 100,
    retry: { restartOnFailure: async () => false },
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => answer.failed(payload.error, 'crash'))
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: step.topics, fromBeginning: true })
    await consumer.run({ eachMessage: async ({ topic }) => answer.count(answer.read, topic) })
    const end = Date.now() + step.forMs
    while (Date.now() < end) {
      const read = Object.values(answer.read).reduce((sum, count) => sum + count, 0)
      if (read >= step.records && answer.errors.size >= step.errors) break
      await sleep(pollMs)
    }
    await sleep(step.thenMs)
  } finally {
    await consumer.disconnect()
  }
}

async function administer(step) {
  const admin = kafkaOf(step).admin()
  const { name } = step
  const calls = {
    createTopic: () => admin.createTopics({ topics: [{ topic: name }], timeout: patienceMs }),
    deleteTopic: () => admin.deleteTopics({ topics: [name], timeout: patienceMs }),
    describeGroup: () => admin.describeGroups([name]),
    deleteGroup: () => admin.deleteGroups([name]),
  }
  await admin.connect()
  try {
    const result = await calls[step.do]()
    // describeGroups hands out a group's error as part of its description.
    for (const { errorCode } of result?.groups ?? []) {
      if (errorCode !== 0) throw Object.assign(new Error(`code ${errorCode}`), { type: `code ${errorCode}` })
    }
  } finally {
    await admin.disconnect()
  }
}

const does = { produce, transact, consume }
let connection
for await (const line of createInterface({ input: process.stdin })) {
  const said = JSON.parse(line)
  if (connection === undefined) {
    connection = said
    continue
  }
  const step = { ...connection, ...said }
  const answer = new Answer()
  try {
    await (does[step.do] ?? administer)(step, answer)
  } catch (error) {
    answer.failed(error, step.do)
  }
  process.stdout.write(`${JSON.stringify({ step: answer })}\n`)
}
