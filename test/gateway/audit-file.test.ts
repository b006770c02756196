import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ConfigError } from '../../src/errors.ts'
import { AuditFile } from '../../src/gateway/audit-file.ts'
import { until, within } from '../support/until.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const descriptors = (): number => readdirSync('/proc/self/fd').length
const lines = (count: number, from = 0): string[] => Array.from({ length: count }, (_, at) => `record ${from + at}\n`)

describe('the audit file', () => {
  let folder: string
  let path: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vkitm-audit-file-'))
    path = join(folder, 'audit.log')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const write = (file: AuditFile, records: readonly string[]): void => {
    for (const record of records) file.sink.write(record)
  }

  test('stays open however much garbage is collected: its descriptor would soon be somebody’s connection', async () => {
    const file = await AuditFile.open({ path, isRequired: false })
    for (let at = 0; at < 3; at++) {
      await new Promise(resolve => setImmediate(resolve))
      collectGarbage()
    }
    write(file, ['kept\n'])
    await file.sink.flushed(5_000)
    assert.equal(readFileSync(path, 'utf8'), 'kept\n')
    assert.equal(file.sink.dropped, 0)
  })

  test('is opened again on a reload: what was renamed gets no further record, and none is lost or torn', async () => {
    const file = await AuditFile.open({ path, isRequired: true })
    const before = descriptors()
    const records = lines(20_000)
    write(file, records.slice(0, 10_000))
    renameSync(path, `${path}.1`)
    await file.reload()
    write(file, records.slice(10_000))
    await file.sink.flushed(10_000)
    const renamed = readFileSync(`${path}.1`, 'utf8')
    assert.ok(renamed.endsWith('\n'))
    assert.equal(renamed + readFileSync(path, 'utf8'), records.join(''))
    await until('the old descriptor is closed', () => descriptors() === before)
  })

  test('that is a pipe is left alone, and nothing waits for its reader', async () => {
    const pipe = join(folder, 'pipe')
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0)
    await assert.rejects(AuditFile.open({ path: pipe, isRequired: false }), /cannot append to .*pipe: ENXIO/)
    const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
    const file = await AuditFile.open({ path: pipe, isRequired: false })
    closeSync(reader)
    await within('the reload', file.reload())
  })

  test('that was not renamed goes on as it was', async () => {
    const file = await AuditFile.open({ path, isRequired: false })
    const before = descriptors()
    write(file, ['one\n'])
    await file.reload()
    write(file, ['two\n'])
    await file.sink.flushed(5_000)
    assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n')
    assert.equal(descriptors(), before)
  })

  test('that cannot be opened again is refused with the line to change, and the old one is written on', async () => {
    const file = await AuditFile.open({ path, isRequired: false })
    renameSync(folder, `${folder}-moved`)
    try {
      await assert.rejects(file.reload(), ({ problems }: ConfigError) => {
        assert.match(problems[0]!.message, /cannot append to .*audit\.log: ENOENT; name a file in a folder/)
        return true
      })
      write(file, ['one\n'])
      await file.sink.flushed(5_000)
      assert.equal(readFileSync(join(`${folder}-moved`, 'audit.log'), 'utf8'), 'one\n')
    } finally {
      renameSync(`${folder}-moved`, folder)
    }
  })

  test('is not for everybody to read', async () => {
    await AuditFile.open({ path, isRequired: false })
    assert.equal(statSync(path).mode & 0o007, 0)
  })
})
