// By hand: node build/test/support/parity/main.js [items] [seed] [auto-create]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiName } from '../../../src/protocol/api-key.ts'
import { createClients, doorOf, startCluster } from './cluster.ts'
import { reportText, summary } from './report.ts'
import { runParity } from './run-parity.ts'
import { Side } from './side.ts'

const [items = '2000', seed = '1', auto = 'false'] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'vkitm-parity-'))
const clients = createClients(folder)
const autoCreates = auto === 'true'
const clusters = await Promise.all([0, 1].map(() => startCluster({ clients, autoCreates })))
console.log('clusters are up')
try {
  const sides = await Promise.all(clusters.map((kafka, at) => Side.open(`kafka ${at}`, doorOf(kafka, clients))))
  const report = await runParity({
    seed: Number(seed),
    itemsMin: Number(items),
    expected: sides[0]!,
    tested: sides[1]!,
    autoCreates,
    onStep: ({ key, version, principal }, { request, answer, ms }) => {
      if (ms < 1_000) return
      const text = `${JSON.stringify(request)}\n  ${JSON.stringify(answer)}`
      console.log(`slow: ${apiName(key)} v${version} as ${principal}, ${Math.round(ms)} ms, ${text.slice(0, 1_500)}`)
    },
    onBatch: ({ batch, items, requests, differences, ms }) =>
      console.log(
        `batch ${batch}: ${items} items, ${requests} requests, ${differences.length} differences, ${Math.round(ms)} ms`,
      ),
  })
  console.log(reportText(report))
  console.log(summary(report))
  console.log(
    [...report.outcomes]
      .sort()
      .map(([name, times]) => `${name}: ${times}`)
      .join('; '),
  )
  await Promise.all(sides.map(side => side.close()))
} finally {
  await Promise.all(clusters.map(kafka => kafka.stop()))
  rmSync(folder, { recursive: true, force: true })
}
