import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { LineSink } from '../../src/telemetry/line-sink.ts'
import { replaceDescriptor } from '../support/replace-descriptor.ts'

const folder = mkdtempSync(join(tmpdir(), 'vkitm-log-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('lines arrive whole, in order, however many are written at once', async () => {
  const path = join(folder, 'lines')
  const fd = openSync(path, 'w')
  const sink = new LineSink({ fd })
  const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index} ${'ü'.repeat(index % 50)}\n`)
  for (const line of lines) sink.write(line)
  await sink.flushed(10_000)
  closeSync(fd)
  assert.equal(readFileSync(path, 'utf8'), lines.join(''))
  assert.equal(sink.dropped, 0)
})

test('what exceeds the bound is dropped and counted, and what fits is kept', async () => {
  const path = join(folder, 'bounded')
  const fd = openSync(path, 'w')
  const sink = new LineSink({ fd, bytesMax: 100 })
  for (let index = 0; index < 30; index++) sink.write('123456789\n')
  assert.equal(sink.dropped, 20)
  await sink.flushed(10_000)
  sink.write('later\n')
  await sink.flushed(10_000)
  closeSync(fd)
  assert.equal(readFileSync(path, 'utf8'), `${'123456789\n'.repeat(10)}later\n`)
})

test('F14: a full disk costs lines, counted, and nothing else', {
  skip: existsSync('/dev/full') ? false : 'no /dev/full',
}, async () => {
  const fd = openSync('/dev/full', 'w')
  const sink = new LineSink({ fd })
  for (let index = 0; index < 50; index++) sink.write('lost\n')
  await sink.flushed(5_000)
  assert.equal(sink.dropped, 50)
  sink.write('lost too\n')
  await sink.flushed(5_000)
  assert.equal(sink.dropped, 51)
  closeSync(fd)
})

test('F14: a reader that stalls blocks neither the event loop nor the end of the process', async () => {
  const sinkUrl = new URL('../../src/telemetry/line-sink.js', import.meta.url).href
  // Writes 2 MiB into a pipe that nobody reads while a timer measures how late it is called.
  const program = `
    import { LineSink } from '${sinkUrl}'
    const sink = new LineSink({ fd: 1, bytesMax: 1024 * 1024 })
    let late = 0, last = performance.now(), ticks = 0
    const timer = setInterval(() => {
      const now = performance.now()
      late = Math.max(late, now - last - 10)
      last = now
      for (let i = 0; i < 50; i++) sink.write('x'.repeat(1023) + '\\n')
      if (++ticks === 42) {
        clearInterval(timer)
        sink.flushed(200).then(() => {
          process.stderr.write(JSON.stringify({ late, dropped: sink.dropped }))
          process.exit(0)
        })
      }
    }, 10)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let report = ''
  child.stderr.on('data', chunk => {
    report += chunk
  })
  child.stdout.pause()
  const code = await new Promise(resolve => child.on('exit', resolve))
  assert.equal(code, 0, report)
  const { late, dropped } = JSON.parse(report)
  assert.ok(dropped > 500, `dropped ${dropped}`)
  assert.ok(late < 250, `the event loop was late by ${late} ms`)
})

test('F15: lines that have to be kept wait for room, and nothing of them is lost or written twice', {
  skip: existsSync('/dev/full') ? false : 'no /dev/full',
}, async () => {
  const path = join(folder, 'kept')
  const fd = openSync('/dev/full', 'w')
  const sink = new LineSink({ fd, bytesMax: 100, keepsLines: true, retryMs: 10 })
  assert.ok(sink.isTaking)
  for (let index = 0; index < 30; index++) sink.write(`line ${index}\n`)
  assert.ok(!sink.isTaking, 'half of the room is full')
  await sink.flushed(50)
  assert.ok(!sink.isTaking, 'the disk is full')
  replaceDescriptor(fd, path)
  await sink.flushed(10_000)
  assert.ok(sink.isTaking)
  closeSync(fd)
  assert.equal(readFileSync(path, 'utf8'), Array.from({ length: 30 }, (_, index) => `line ${index}\n`).join(''))
  assert.equal(sink.dropped, 0)
})

test('a line of which a full disk took half is whole in the file that comes next', () => {
  const sinkUrl = new URL('../../src/telemetry/line-sink.js', import.meta.url).href
  const program = `
    import { openSync } from 'node:fs'
    import { LineSink } from '${sinkUrl}'
    const sink = new LineSink({ fd: openSync('half', 'a'), keepsLines: true, retryMs: 10 })
    for (let at = 10; at < 25; at++) sink.write(String(at).repeat(49) + '.\\n')
    while (sink.isTaking) await new Promise(resolve => setTimeout(resolve, 5))
    await sink.moveTo(openSync('next', 'a'))
    await sink.flushed(5_000)
  `
  // A file may be 1,024 bytes long there: ten lines and a part of the next.
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', 'ulimit -f 1; exec "$@"', '-', process.execPath, '--input-type=module', '-e', program],
    { cwd: folder, encoding: 'utf8', timeout: 30_000 },
  )
  assert.equal(status, 0, stderr)
  const line = (at: number): string => `${String(at).repeat(49)}.\n`
  const [half, next] = ['half', 'next'].map(name => readFileSync(join(folder, name), 'utf8'))
  assert.equal(half!.length, 1_024)
  assert.equal(next, [20, 21, 22, 23, 24].map(line).join(''))
})
