// Where does the time go? Runs one row against one contestant with Node's sampling profiler on and prints the functions
// that the processor was found in. `node build/bench/profile.js --row produce-cpu`, after a build.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findContestants } from './contestants.ts'
import { type CpuProfile, selfTimes } from './cpu-profile.ts'
import { rows } from './rows.ts'
import { runRow } from './run-row.ts'
import { full, quick } from './scale.ts'
import { endOnSignals } from './signals.ts'
import { Testbed } from './testbed.ts'

const { values } = parseArgs({
  options: {
    row: { type: 'string', default: 'produce-cpu' },
    contestant: { type: 'string', default: 'vkitm' },
    top: { type: 'string', default: '40' },
    full: { type: 'boolean', default: false },
    /** Leaves the .cpuprofile files there, for a viewer. */
    keep: { type: 'string' },
  },
})
endOnSignals()

const row = rows.find(({ id }) => id === values.row)
if (row === undefined) fail(`no row ${values.row}; there are ${rows.map(({ id }) => id).join(', ')}`)
const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'vkitm-profile-'))
if (values.keep === undefined) process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
const search = findContestants(['--cpu-prof', `--cpu-prof-dir=${folder}`]).find(
  ({ name }) => name === values.contestant,
)
if (search === undefined || 'missing' in search) fail(search?.missing ?? `no contestant ${values.contestant}`)

const testbed = await Testbed.start([search.name], { ...(values.full ? full : quick), rounds: 1 })
const log = (line: string) => console.error(line)
try {
  const alone = { ...row, includesDirect: false, roundsFactor: 1 }
  const { failures } = await runRow(alone, { testbed, contestants: [search], log })
  if (failures.size > 0) process.exitCode = 1
} finally {
  await testbed.stop()
}
const files = readdirSync(folder).filter(name => name.endsWith('.cpuprofile'))
if (files.length === 0) fail(`${search.name} left no profile: is it a Node program, and did it end by itself?`)
print(files.map(name => JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile))

function print(profiles: readonly CpuProfile[]): void {
  const { busySeconds, idleSeconds, functions } = selfTimes(profiles)
  console.log(
    `\n${search!.name}, ${row!.id}, warm-up included: ${busySeconds.toFixed(2)} s busy, ${idleSeconds.toFixed(2)} s idle`,
  )
  console.log('  self s      %  function')
  for (const { name, place, seconds } of functions.slice(0, Number(values.top))) {
    const share = ((seconds / busySeconds) * 100).toFixed(1)
    console.log(`${seconds.toFixed(3).padStart(8)} ${share.padStart(6)}  ${name}  ${place}`)
  }
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
