import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { FileWatch, type FileWatchOptions } from '../../src/config/file-watch.ts'
import { until } from '../support/until.ts'

let folder: string
let told: string[][]
let watches: FileWatch[]

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'vkitm-watch-')))
  told = []
  watches = []
})

afterEach(() => {
  for (const each of watches) each.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Polling is out of the way unless a test is about it. */
async function watching(paths: readonly string[], options: Partial<FileWatchOptions> = {}): Promise<FileWatch> {
  const watch = new FileWatch({
    quietMs: 30,
    quietMsMax: 200,
    pollMs: 3_600_000,
    changed: changed => told.push([...changed]),
    ...options,
  })
  watches.push(watch)
  await watch.watch(paths)
  return watch
}

function write(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** Long enough for a change to be told, were it one. */
const quiet = () => delay(300)
const toldOnce = (path: string) => until(`${path} told`, () => told.some(paths => paths.includes(path)))

/** As the kubelet writes a volume: everything behind one link, which is swapped. */
function publish(mount: string, version: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(mount, version), { recursive: true })
  for (const [name, content] of Object.entries(files)) writeFileSync(join(mount, version, name), content)
  symlinkSync(version, join(mount, '..data_tmp'))
  renameSync(join(mount, '..data_tmp'), join(mount, '..data'))
  for (const name of Object.keys(files)) {
    if (!existsSync(join(mount, name))) symlinkSync(join('..data', name), join(mount, name))
  }
}

describe('the watcher of files', () => {
  test('tells of a file that was written in place, once, and not of its neighbours', async () => {
    const [policy, log] = [write('policy.csv', 'a'), write('gateway.log', '')]
    await watching([policy])
    appendFileSync(log, 'a line\n')
    appendFileSync(policy, 'b')
    await toldOnce(policy)
    await quiet()
    assert.deepEqual(told, [[policy]])
  })

  test('tells of a file that was replaced by a rename, again and again', async () => {
    const path = write('a.pem', '0')
    await watching([path])
    for (let round = 1; round <= 3; round++) {
      told = []
      renameSync(write('.a.pem.swp', String(round)), path)
      await toldOnce(path)
    }
  })

  test('tells of every file behind a Kubernetes link that was swapped, although nobody touched them', async () => {
    const mount = join(folder, 'mount')
    publish(mount, '..1', { 'tls.crt': 'one', 'tls.key': 'one' })
    const paths = [join(mount, 'tls.crt'), join(mount, 'tls.key')]
    await watching(paths)
    for (const version of ['..2', '..3']) {
      told = []
      publish(mount, version, { 'tls.crt': version, 'tls.key': version })
      await until('both told', () => told.length > 0)
      assert.deepEqual(told, [paths])
    }
  })

  test('says nothing where only the time of a file is new', async () => {
    const path = write('a', 'same')
    await watching([path])
    utimesSync(path, new Date(), new Date())
    writeFileSync(path, 'same')
    await quiet()
    assert.deepEqual(told, [])
  })

  test('tells of a file that goes, and of its return with the same content', async () => {
    const path = write('a', 'x')
    await watching([path])
    unlinkSync(path)
    await toldOnce(path)
    told = []
    write('a', 'x')
    await toldOnce(path)
  })

  test('waits for folders that do not exist yet, and survives that theirs is replaced', async () => {
    const path = join(folder, 'later', 'deeper', 'a')
    await watching([path])
    mkdirSync(join(folder, 'later'))
    await delay(60)
    mkdirSync(join(folder, 'later', 'deeper'))
    await delay(60)
    writeFileSync(path, 'x')
    await toldOnce(path)
    told = []
    renameSync(join(folder, 'later', 'deeper'), join(folder, 'gone'))
    await toldOnce(path)
    told = []
    mkdirSync(join(folder, 'later', 'deeper'))
    writeFileSync(path, 'y')
    await toldOnce(path)
  })

  test('a burst of writes is told once it is quiet, and at the latest after the upper bound', async () => {
    const path = write('a', '')
    await watching([path], { quietMs: 100, quietMsMax: 400 })
    for (let at = 0; at < 5; at++) {
      appendFileSync(path, 'x')
      await delay(10)
    }
    assert.deepEqual(told, [], 'told in the middle of the burst')
    await toldOnce(path)
    assert.equal(told.length, 1)
    told = []
    const until1s = performance.now() + 1_500
    while (performance.now() < until1s && told.length === 0) {
      appendFileSync(path, 'x')
      await delay(5)
    }
    assert.equal(told.length, 1, 'a file that is written to all the time was never told of')
  })

  test('finds by looking what no event tells of', async () => {
    const path = write('a', '1')
    await watching([path], { quietMs: 3_600_000, quietMsMax: 3_600_000, pollMs: 50 })
    writeFileSync(path, '2')
    await toldOnce(path)
  })

  test('what changed since the files were first read is told at the first look, older changes are not', async () => {
    const old = write('old', '1')
    await delay(60)
    const since = new Date()
    await delay(30)
    const young = write('young', '1')
    await watching([old, young], { since })
    assert.deepEqual(told, [[young]])
  })

  test('what went between the first reading and the first look is told at the first look', async () => {
    await watching([join(folder, 'gone')], { since: new Date() })
    assert.deepEqual(told, [[join(folder, 'gone')]])
  })

  test('looks at a file of a gigabyte without reading it, and at what is no file without waiting for it', async () => {
    const path = write('a', 'x')
    await watching([path, folder])
    const before = process.memoryUsage().rss
    truncateSync(path, 1024 ** 3)
    await toldOnce(path)
    assert.ok(process.memoryUsage().rss - before < 256 * 1024 ** 2, 'read it')
  })

  test('follows another set of files when told to, and nothing once it is closed', async () => {
    const [a, b] = [write('a', '1'), write('b', '1')]
    const watch = await watching([a])
    await watch.watch([b])
    writeFileSync(a, '2')
    await quiet()
    assert.deepEqual(told, [])
    writeFileSync(b, '2')
    await toldOnce(b)
    watch.close()
    told = []
    writeFileSync(b, '3')
    await quiet()
    assert.deepEqual(told, [])
  })
})
