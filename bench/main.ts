// `npm run bench`: what does a gateway cost on this machine, against proxies that decide and rewrite nothing?
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { skipReason } from '../test/support/kafka.ts'
import { type Contestant, findContestants } from './contestants.ts'
import { disturbanceMax, watchNeighbours } from './disturbance.ts'
import { gatherFacts } from './facts.ts'
import { type FigureResult, summarise } from './results.ts'
import { rows } from './rows.ts'
import { runRow } from './run-row.ts'
import { full, quick } from './scale.ts'
import { endOnSignals } from './signals.ts'
import { type Report, renderReport, renderTable } from './table.ts'
import { Testbed } from './testbed.ts'

const usage = `usage: npm run bench -- [--quick] [--only row,row] [--contestants name,name] [--rounds N]
rows: ${rows.map(row => row.id).join(', ')}
node-floor, Node without its streams, takes part only where it is named.
A run of everything writes bench/last.json, bench/last.md and README's table; a part of it only prints.`

const folder = join(import.meta.dirname, '..', '..', 'bench')
const options = readOptions()
endOnSignals()

const missingKafka = skipReason()
if (missingKafka) {
  console.error(`no benchmark without real Kafka: ${missingKafka}`)
  process.exit(1)
}
const { found, leftOut, facts } = choose()
const { figures, disturbance, failed } = await measureAll(found)
const finished = new Date().toISOString()
const report: Report = {
  finished,
  rounds: options.scale.rounds,
  facts,
  figures,
  disturbance,
  leftOut: [...leftOut, ...failed],
}
console.log(`\n${renderReport(report)}`)
if (failed.length > 0) {
  console.error(`not written: ${failed.join('; ')}`)
  process.exitCode = 1
} else if (options.whole) {
  writeFileSync(join(folder, 'last.json'), `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(join(folder, 'last.md'), renderReport(report))
  showInReadme(renderTable(figures))
}

function showInReadme(table: string): void {
  const path = join(folder, '..', 'README.md')
  const between = /(<!-- bench:table -->\n)[\s\S]*?(\n<!-- bench:table:end -->)/
  const text = readFileSync(path, 'utf8')
  if (!between.test(text)) throw new Error('README.md has no place for the table')
  writeFileSync(
    path,
    text.replace(between, (_, begin: string, end: string) => `${begin}${table}${end}`),
  )
}

async function measureAll(contestants: readonly Contestant[]) {
  const names = contestants.map(({ name }) => name)
  const testbed = await Testbed.start(names, options.scale)
  const log = (line: string) => console.error(line)
  const figures: FigureResult[] = []
  const disturbance: Record<string, number> = {}
  const failed: string[] = []
  try {
    for (const row of options.rows) {
      const neighbours = watchNeighbours()
      const { samples, failures } = await runRow(row, { testbed, contestants, log })
      const share = neighbours()
      disturbance[row.id] = share
      figures.push(...summarise(row, samples, share > disturbanceMax))
      for (const [name, error] of failures) failed.push(`${name} failed in ${row.id}: ${firstLine(error)}`)
    }
  } finally {
    await testbed.stop()
  }
  return { figures, disturbance, failed }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!
}

function choose() {
  const searched = findContestants()
  const wanted = searched.filter(search => options.contestants?.includes(search.name) ?? !('isExtra' in search))
  const found = wanted.filter(search => 'command' in search)
  const leftOut = wanted.flatMap(search => ('missing' in search ? [`${search.name}: ${search.missing}`] : []))
  for (const line of leftOut) console.error(`left out: ${line}`)
  return { found, leftOut, facts: gatherFacts(searched) }
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      contestants: { type: 'string' },
      rounds: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const only = values.only?.split(',')
  const unknown = only?.filter(id => !rows.some(row => row.id === id)) ?? []
  const rounds = Number(values.rounds ?? (values.quick ? quick : full).rounds)
  if (values.help || unknown.length > 0 || !(rounds >= 1)) {
    console.error(unknown.length > 0 ? `no such row: ${unknown.join(', ')}\n${usage}` : usage)
    process.exit(values.help ? 0 : 2)
  }
  return {
    scale: { ...(values.quick ? quick : full), rounds },
    rows: rows.filter(({ id }) => only?.includes(id) ?? true),
    contestants: values.contestants?.split(','),
    whole: !values.quick && only === undefined && values.contestants === undefined && rounds >= full.rounds,
  }
}
