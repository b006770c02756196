import assert from 'node:assert/strict'
import { once } from 'node:events'
import { platform } from 'node:os'
import { test } from 'node:test'
import { cpuSeconds, peakResidentBytes, processTree, resetPeak, residentBytes } from '../../bench/cpu.ts'
import { end, start } from '../support/child-process.ts'

const skip = platform() === 'linux' ? false : 'needs /proc'

const burn =
  'const end = process.cpuUsage().user + 300000; while (process.cpuUsage().user < end) for (let count = 0; count < 1e6; count++);'
const parent = `
${burn}
const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(`${burn} console.log('done'); setTimeout(() => {}, 60000)`)}])
child.stdout.once('data', () => console.log('done'))
`

test('processor time is that of the whole process tree', { skip }, async t => {
  const child = start(process.execPath, ['-e', parent], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(async () => {
    for (const pid of processTree(child.pid!).slice(1)) process.kill(pid, 'SIGKILL')
    await end(child)
  })
  await once(child.stdout!, 'data')
  assert.equal(processTree(child.pid!).length, 2)
  const spent = cpuSeconds(child.pid!)
  // Two burns of 0.3 s; starting Node twice costs the rest.
  assert.ok(spent >= 0.6 && spent < 3, `${spent} s`)
})

const grow = `
const peak = Buffer.alloc(100 * 2 ** 20, 1)
console.log('grown')
process.stdin.once('data', () => console.log(peak.length))
`

test('resident memory is counted with its peak since the last reset', { skip }, async t => {
  const child = start(process.execPath, ['-e', grow], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => end(child))
  await once(child.stdout!, 'data')
  const resident = residentBytes(child.pid!)
  assert.ok(resident > 100 * 2 ** 20, `${resident} bytes`)
  resetPeak(child.pid!)
  const peak = peakResidentBytes(child.pid!)
  assert.ok(Math.abs(peak - resident) < 10 * 2 ** 20, `peak ${peak}, resident ${resident}`)
})
