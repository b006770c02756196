// Drives kcat (librdkafka). It cannot set timestamps, gives all records the same headers, and says where
// something was stored but not which record it was.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Reading, read, readJob, recordOf, retried } from '../javascript/job.mjs'

const job = readJob()
const properties = {
  'security.protocol': `${job.sasl === undefined ? '' : 'sasl_'}${job.ca === undefined ? 'plaintext' : 'ssl'}`,
  'ssl.ca.location': job.ca,
  'ssl.certificate.location': job.certificate,
  'ssl.key.location': job.key,
  'sasl.mechanism': job.sasl?.mechanism,
  'sasl.username': job.sasl?.username,
  'sasl.password': job.sasl?.password,
}
const settings = [
  '-b',
  job.bootstrap.join(','),
  ...Object.entries(properties)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => ['-X', `${name}=${value}`]),
]
const delivered = /Message delivered to partition (\d+) \(offset (\d+)\)/

async function produce() {
  const idempotence = job.idempotent ? ['enable.idempotence=true'] : ['max.in.flight=1']
  const producer = kcat([
    '-P',
    ...['-t', job.topic, '-K', '\t', '-H', 'n=kcat', '-H', 'trace=same', '-v', '-v', '-v'],
    ...['acks=all', 'debug=msg', ...idempotence].flatMap(property => ['-X', property]),
  ])
  const ended = once(producer, 'exit')
  const told = (async () => {
    for await (const text of createInterface({ input: producer.stderr })) {
      const [, partition, offset] = delivered.exec(text) ?? []
      if (partition !== undefined) stored(Number(partition), Number(offset))
      else if (/retry/i.test(text)) retried(text)
      else if (/^% (ERROR|FATAL)|failed/i.test(text)) process.stderr.write(`${text}\n`)
    }
  })()
  for (let i = 0; i < job.records; i++) {
    const { key, value } = recordOf(job, i)
    if (!producer.stdin.write(`${key}\t${value}\n`)) await once(producer.stdin, 'drain')
    if (job.perSecond > 0 && i % 50 === 49) await sleep(50_000 / job.perSecond)
  }
  producer.stdin.end()
  const [code] = await ended
  await told
  if (code !== 0) throw new Error(`kcat ended with exit code ${code}`)
}

async function consume() {
  const consumer = kcat(['-X', 'auto.offset.reset=earliest', '-J', '-u', '-q', '-G', job.group, job.topic])
  consumer.stderr.pipe(process.stderr)
  const ended = once(consumer, 'exit')
  const reading = new Reading(job)
  createInterface({ input: consumer.stdout }).on('line', text => {
    const { partition, offset, ts, key, payload, headers } = JSON.parse(text)
    const pairs = Array.from({ length: headers.length / 2 }, (_, index) => headers.slice(2 * index, 2 * index + 2))
    read({ partition, offset, timestamp: ts, key, value: payload, headers: pairs })
    reading.seen(payload.split('|')[3])
  })
  await Promise.race([reading.ended(), ended.then(([code]) => stopped(code))])
  consumer.kill('SIGINT')
  await ended
}

function stopped(code) {
  throw new Error(`kcat stopped reading with exit code ${code}`)
}

function stored(partition, offset) {
  process.stdout.write(`${JSON.stringify({ stored: { partition, offset } })}\n`)
}

function kcat(args) {
  return spawn('kcat', [...settings, ...args], { stdio: 'pipe' })
}

await produce()
await consume()
