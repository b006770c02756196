import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { readBounded } from '../../src/config/bounded-read.ts'
import { within } from '../support/until.ts'

const folder = mkdtempSync(join(tmpdir(), 'vkitm-read-'))
const path = join(folder, 'a')
const failsWith = (code: string) => (error: unknown) => (error as NodeJS.ErrnoException).code === code

describe('a bounded read', () => {
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('gives the whole of a file up to the bound, and refuses one byte more', async () => {
    writeFileSync(path, 'x'.repeat(10_000))
    assert.equal((await readBounded(path, 10_000)).toString(), 'x'.repeat(10_000))
    await assert.rejects(readBounded(path, 9_999), failsWith('EFBIG'))
    writeFileSync(path, '')
    assert.equal((await readBounded(path)).length, 0)
  })

  test('refuses a gigabyte without reading it, a folder, and what is missing', async () => {
    truncateSync(path, 1024 ** 3)
    await assert.rejects(readBounded(path), failsWith('EFBIG'))
    await assert.rejects(readBounded(folder), failsWith('EISDIR'))
    await assert.rejects(readBounded(join(folder, 'none')), failsWith('ENOENT'))
  })

  test('reads files that do not say how long they are', async () => {
    assert.match((await readBounded('/proc/self/status')).toString(), /^Name:/)
  })

  test('does not wait for a pipe that nobody writes to', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    await within('refused', assert.rejects(readBounded(pipe), failsWith('ENOTSUP')), 2_000)
  })
})
