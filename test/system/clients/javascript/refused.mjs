// kafkajs: connects once for each case, all at the same time, and says what the application was told.
import { readFileSync } from 'node:fs'
import { Kafka, logLevel } from 'kafkajs'

const { cases, timeoutMs } = JSON.parse(readFileSync(0, 'utf8'))

async function told({ clientId, bootstrap, ca, certificate, key, sasl, token }) {
  const own = certificate === undefined ? {} : { cert: readFileSync(certificate), key: readFileSync(key) }
  const kafka = new Kafka({
    clientId,
    brokers: [bootstrap],
    ssl: { ca: [readFileSync(ca)], ...own },
    ...(sasl && { sasl: { ...sasl, mechanism: sasl.mechanism.toLowerCase() } }),
    ...(token && { sasl: { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: token }) } }),
    connectionTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  })
  const admin = kafka.admin()
  try {
    await admin.connect()
    await admin.listTopics()
    return []
  } catch (error) {
    const errors = []
    for (let each = error; each; each = each.cause) errors.push(`${each.name}: ${each.message}`)
    return errors
  } finally {
    await admin.disconnect()
  }
}

await Promise.all(
  cases.map(async each => {
    const errors = await told(each)
    process.stdout.write(`${JSON.stringify({ case: each.name, errors })}\n`)
  }),
)
