// By hand: node build/test/support/parity/main.js kafka|gateway [items] [seed] [auto-create] [first batch]
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiName } from '../../../src/protocol/api-key.ts'
import { createClients, doorOf, startCluster } from './cluster.ts'
import { startParityGateway } from './gateway-side.ts'
import { reportText, summary } from './report.ts'
import { type ParityOptions, runParity } from './run-parity.ts'
import { Side } from './side.ts'

const [kind = 'kafka', items = '2000', seed = '1', auto = 'false', first = '0'] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'vkitm-parity-'))
const clients = createClients(folder)
const autoCreates = auto === 'true'
const [expected, tested] = await Promise.all([
  startCluster({ clients, autoCreates }),
  startCluster({ clients, autoCreates }),
])
const brokerPort = tested.brokers[0]!.port
const gateway = kind === 'gateway' ? await startParityGateway({ clients, brokerPort, folder }) : undefined
const sides = [
  await Side.open('kafka', doorOf(expected, clients)),
  await Side.open(kind, gateway?.door ?? doorOf(tested, clients)),
] as const
const onStep: ParityOptions['onStep'] = ({ key, version, principal }, { request, answer, ms }) => {
  const text = `${JSON.stringify(request)}\n  ${JSON.stringify(answer)}`
  const line = `${apiName(key)} v${version} as ${principal}, ${Math.round(ms)} ms, ${text.slice(0, 1_500)}`
  appendFileSync(join(tmpdir(), 'vkitm-parity-trace.txt'), `${line}\n`)
  if (ms > 1_500) console.log(`slow: ${line}`)
}
try {
  const report = await runParity({
    seed: Number(seed),
    itemsMin: Number(items),
    firstBatch: Number(first),
    expected: sides[0],
    tested: sides[1],
    autoCreates,
    onStep,
    ...(gateway && { enforce: gateway.enforce }),
    onBatch: ({ batch, items, requests, differences, ms }) =>
      console.log(
        `batch ${batch}: ${items} items, ${requests} requests, ${differences.length} differences, ${Math.round(ms)} ms`,
      ),
  })
  console.log(reportText(report))
  console.log(summary(report))
  for (const line of gateway?.complaints() ?? []) console.log(line)
  const outcomes = [...report.outcomes].sort().map(([name, times]) => `${name}: ${times}\n`)
  writeFileSync(join(tmpdir(), 'vkitm-parity-outcomes.txt'), outcomes.join(''))
} finally {
  await Promise.all(sides.map(side => side.close()))
  await gateway?.stop()
  await Promise.all([expected, tested].map(kafka => kafka.stop()))
  rmSync(folder, { recursive: true, force: true })
}
