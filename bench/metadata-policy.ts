// What does a Metadata for 5,000 topics cost under 10,000 rules? Brokers in memory stand behind a gateway of its own, so
// that what is counted is the gateway's CPU alone.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedCluster } from '../src/embedded/embedded-cluster.ts'
import { freePortRange } from '../test/support/free-ports.ts'
import { issueCertificate } from './certificate.ts'
import { KafkaConnection } from './connection.ts'
import { findContestants } from './contestants.ts'
import { cpuSpent } from './cpu.ts'
import { metadataRequest, type PreparedRequest } from './frames.ts'
import { ProxyProcess } from './proxy-process.ts'
import { rulesInForce } from './random-rules.ts'
import type { Row, Sample } from './row.ts'

const TOPICS = 5_000
/** Each set of names is asked for once while cold decisions are counted; the system counts CPU in steps of 10 ms. */
const SETS = 20
const WARM_UPS = 3
const REPEATS = 40

export const metadataPolicy: Row = {
  id: 'metadata-policy',
  process: 'kept',
  includesDirect: false,
  figures: [
    {
      id: 'metadataCold',
      title: 'CPU per Metadata for 5,000 topics, 10,000 rules, topics not asked for before',
      unit: 'ms',
      digits: 1,
      goal: { against: 'nothing', max: 50 },
    },
    {
      id: 'metadataAgain',
      title: 'CPU per Metadata for 5,000 topics, 10,000 rules, asked again',
      unit: 'ms',
      digits: 1,
      goal: { against: 'nothing', max: 50 },
    },
  ],
  async measure({ name }): Promise<Sample> {
    // The others decide nothing.
    if (name !== 'vkitm') return {}
    const folder = mkdtempSync(join(tmpdir(), 'vkitm-bench-'))
    try {
      return await measureIn(folder)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

const namesOf = (set: number): string[] => Array.from({ length: TOPICS }, (_, at) => `team${at}.set-${set}`)

async function measureIn(folder: string): Promise<Sample> {
  const contestant = findContestants().find(({ name }) => name === 'vkitm')!
  if ('missing' in contestant) throw new Error(contestant.missing)
  const sets = Array.from({ length: WARM_UPS + SETS }, (_, set) => namesOf(set))
  const cluster = await startEmbeddedCluster({ nodes: 1, seenMax: 1 })
  for (const name of sets.flat()) cluster.createTopic(name, { partitions: 1 })
  const certificate = await issueCertificate(folder)
  const proxy = await ProxyProcess.start(contestant, {
    folder,
    certificate,
    port: await freePortRange(2),
    brokerId: 1,
    brokerPort: Number(cluster.bootstrap[0]!.split(':')[1]),
    rules: rulesInForce,
  })
  const connection = await KafkaConnection.open(proxy.endpoint)
  const askAll = async (requests: readonly PreparedRequest[]): Promise<void> => {
    for (const request of requests) {
      const bytes = await connection.request(request)
      if (bytes < TOPICS * 20) throw new Error(`${bytes} bytes are no answer for ${TOPICS} topics`)
    }
  }
  try {
    return await proxy.during(async () => {
      const requests = sets.map(metadataRequest)
      await askAll(requests.slice(0, WARM_UPS))
      const cold = await cpuSpent(proxy.pid, () => askAll(requests.slice(WARM_UPS)))
      const again = await cpuSpent(proxy.pid, () => askAll(Array.from({ length: REPEATS }, () => requests.at(-1)!)))
      return { metadataCold: (cold.seconds * 1e3) / SETS, metadataAgain: (again.seconds * 1e3) / REPEATS }
    })
  } finally {
    await connection.close()
    await proxy.stop()
    await cluster.stop()
  }
}
