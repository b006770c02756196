import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Reloadable } from '../../src/config/reloadable.ts'
import { ConfigError } from '../../src/errors.ts'
import { Reloader } from '../../src/gateway/reloader.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { type MemoryLog, memoryLog } from '../support/memory-log.ts'
import { until } from '../support/until.ts'

/** A file with a number in it; anything else is refused. */
class NumberFile implements Reloadable {
  readonly name: string
  readonly files: readonly string[]
  value: number
  reloads = 0
  running = 0
  runningMax = 0

  constructor(name: string, path: string) {
    this.name = name
    this.files = [path]
    this.value = Number(readFileSync(path, 'utf8'))
  }

  async reload(): Promise<void> {
    this.reloads++
    this.runningMax = Math.max(this.runningMax, ++this.running)
    await delay(20)
    this.running--
    const text = readFileSync(this.files[0]!, 'utf8')
    if (!/^\d+$/.test(text)) throw new ConfigError([{ path: this.name, message: `"${text}" is no number` }])
    this.value = Number(text)
  }
}

let folder: string
let log: MemoryLog
let metrics: Metrics
let reloader: Reloader | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vkitm-reload-'))
  log = memoryLog()
  metrics = new Metrics({ apiName: () => undefined, processMetrics: false })
})

afterEach(() => {
  reloader?.close()
  rmSync(folder, { recursive: true, force: true })
})

function numberFile(name: string): { file: NumberFile; write: (text: string) => void } {
  const path = join(folder, name)
  writeFileSync(path, '1')
  return { file: new NumberFile(name, path), write: text => writeFileSync(path, text) }
}

async function started(...reloadables: Reloadable[]): Promise<Reloader> {
  reloader = new Reloader({
    reloadables,
    log: log.log,
    metrics,
    since: new Date(Date.now() + 60_000),
    watch: { quietMs: 30, quietMsMax: 200, pollMs: 3_600_000 },
  })
  await reloader.start()
  return reloader
}

describe('the reloader', () => {
  test('reloads what a changed file belongs to, and nothing else', async () => {
    const [a, b] = [numberFile('a'), numberFile('b')]
    await started(a.file, b.file)
    a.write('2')
    await until('in force', () => a.file.value === 2)
    assert.equal(b.file.reloads, 0)
    await until('said so', () => log.lines('reloaded').length === 1)
    assert.match(await metrics.text(), /^vkitm_reload_total\{what="a"\} 1$/m)
  })

  test('keeps the last good one, loudly, until the file is good again', async () => {
    const { file, write } = numberFile('a')
    const it = await started(file)
    for (const bad of ['', '2x']) {
      write(bad)
      await until('degraded', () => it.degraded.some(reason => reason.includes(`"${bad}"`)))
    }
    assert.equal(file.value, 1)
    assert.deepEqual(it.degraded, ['a: a: "2x" is no number'])
    const lines = () => log.lines('reload failed: what was in force stays in force')
    await until('two lines', () => lines().length === 2)
    assert.equal(lines()[0]?.details?.what, 'a')
    assert.match(await metrics.text(), /^vkitm_reload_failed_total\{what="a"\} 2$/m)
    write('3')
    await until('well again', () => it.degraded.length === 0)
    assert.equal(file.value, 3)
  })

  test('asked to, reloads everything and rejects with every problem; the rest is in force', async () => {
    const [a, b, c] = [numberFile('a'), numberFile('b'), numberFile('c')]
    const it = await started(a.file, b.file, c.file)
    it.close()
    a.write('x')
    b.write('2')
    c.write('y')
    await assert.rejects(it.reload(), { message: 'a: "x" is no number\nc: "y" is no number' })
    assert.deepEqual([a.file.value, b.file.value, c.file.value], [1, 2, 1])
    assert.equal(it.degraded.length, 2)
    assert.equal(log.lines().filter(({ level }) => level === 'error').length, 0, 'whoever asked reports it')
  })

  test('does one reload after the other, and does not queue what changes all the time', async () => {
    const { file, write } = numberFile('a')
    const it = await started(file)
    const asked = Promise.all([it.reload(), it.reload(), it.reload()])
    write('7')
    await asked
    await until('in force', () => file.value === 7)
    assert.equal(file.runningMax, 1)
    assert.ok(file.reloads <= 4, `${file.reloads} reloads`)
  })
})
