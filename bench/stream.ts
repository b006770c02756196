// `node build/bench/stream.js --shape produce|consume|small`, after a build: the CPU rows without a JVM, in seconds.
// For trying a change out; the rows of `npm run bench` decide.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { freePortRange } from '../test/support/free-ports.ts'
import { startCannedBroker } from './canned-broker.ts'
import { issueCertificate } from './certificate.ts'
import { findContestants } from './contestants.ts'
import { cpuSpent } from './cpu.ts'
import { fetchRequest, type PreparedRequest, produceRequest } from './frames.ts'
import { drive, withConnections } from './load.ts'
import { ProxyProcess } from './proxy-process.ts'
import { endOnSignals } from './signals.ts'
import { quantile } from './statistics.ts'

const { values } = parseArgs({
  options: {
    shape: { type: 'string', default: 'produce' },
    contestants: { type: 'string', default: 'HAProxy,node-pipe,vkitm' },
    rounds: { type: 'string', default: '5' },
    /** Flags of Node for node-pipe and vkitm, separated by blanks: `--cpu-prof`, another young generation. */
    node: { type: 'string', default: '' },
    scale: { type: 'string', default: '1' },
    /** Rules of vkitm's policy; none: no policy. */
    rules: { type: 'string' },
  },
})
endOnSignals()

const topic = 'stream'
const MiB = 2 ** 20

interface Shape {
  readonly request: PreparedRequest
  readonly connections: number
  readonly inFlight: number
  readonly requests: number
  readonly unit: string
  /** Of the seconds of one request. */
  readonly factor: number
}

const shapes: Readonly<Record<string, Shape>> = {
  produce: {
    request: produceRequest(topic, 64 * 1024),
    connections: 1,
    inFlight: 5,
    requests: 8 * 1024,
    unit: 's/GiB',
    factor: 16 * 1024,
  },
  consume: {
    request: fetchRequest(topic, MiB),
    connections: 1,
    inFlight: 1,
    requests: 768,
    unit: 's/GiB',
    factor: 1024,
  },
  small: {
    request: produceRequest(topic, 100),
    connections: 4,
    inFlight: 1,
    requests: 20_000,
    unit: 'µs/request',
    factor: 1e6,
  },
}
const shape = shapes[values.shape]
if (shape === undefined) throw new Error(`no shape ${values.shape}: ${Object.keys(shapes).join(', ')}`)
const requests = Math.ceil(shape.requests * Number(values.scale))

const folder = mkdtempSync(join(tmpdir(), 'vkitm-stream-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const certificate = await issueCertificate(folder)
const broker = await startCannedBroker(topic, MiB)
const flags = values.node.split(' ').filter(flag => flag !== '')
const names = values.contestants.split(',')
const contestants = findContestants(flags).filter(({ name }) => names.includes(name))
const firstPort = await freePortRange(contestants.length * 2)
const proxies: ProxyProcess[] = []
for (const [index, contestant] of contestants.entries()) {
  if ('missing' in contestant) throw new Error(contestant.missing)
  const port = firstPort + 2 * index
  const own = join(folder, contestant.name)
  const rules = values.rules === undefined ? undefined : Number(values.rules)
  const assignment = { folder: own, certificate, port, brokerId: 1, brokerPort: broker.port }
  proxies.push(await ProxyProcess.start(contestant, rules === undefined ? assignment : { ...assignment, rules }))
}

const costs = new Map<string, number[]>(proxies.map(({ name }) => [name, []]))
for (let round = -1; round < Number(values.rounds); round++) {
  for (const proxy of round % 2 === 0 ? proxies : proxies.toReversed()) {
    const { seconds } = await cpuSpent(proxy.pid, () => load(proxy))
    // The first round warms up.
    if (round >= 0) costs.get(proxy.name)!.push((seconds / requests) * shape.factor)
  }
}
const base = quantile(costs.get(names[0]!) ?? [], 0.5)
for (const [name, all] of costs) {
  const median = quantile(all, 0.5)
  const spread = all.map(value => value.toFixed(2)).join(' ')
  console.log(`${name.padEnd(10)} ${median.toFixed(2)} ${shape.unit}  ${(median / base).toFixed(2)} ×   ${spread}`)
}
for (const proxy of proxies) await proxy.stop()
await broker.stop()
process.exit(0)

function load({ endpoint }: ProxyProcess): Promise<void> {
  const { connections, inFlight, request } = shape!
  return withConnections(endpoint, connections, opened =>
    drive(
      opened.flatMap(connection => Array.from({ length: inFlight }, () => connection)),
      request,
      requests,
    ),
  )
}
