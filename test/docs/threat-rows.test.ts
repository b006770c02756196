import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { filesBelow, read, sectionOf } from './documents.ts'

/** A name that begins with the rows it proves: "A-05 A-06: …", "C-03, C-04: …". */
const namedAfterRows = /['"`]((?:[A-D]-\d{2}(?:,? )?)+):/g
const rowId = /[A-D]-\d{2}/g

const testFiles = [...filesBelow('test', '.test.ts'), ...filesBelow('test', '.json')].filter(
  path => !path.startsWith('docs/'),
)

/** By row, the files with a test that is named after it. */
const proofs = new Map<string, Set<string>>()
for (const file of testFiles) {
  for (const [, rows = ''] of read(`test/${file}`).matchAll(namedAfterRows)) {
    for (const [row] of rows.matchAll(rowId)) proofs.set(row, (proofs.get(row) ?? new Set()).add(`test/${file}`))
  }
}

interface Row {
  readonly id: string
  readonly files: readonly string[]
}

const listed: readonly Row[] = Array.from(
  sectionOf(read('SECURITY.md'), '## Threats').matchAll(/^\| ([A-D]-\d{2}) \|.*\| ([^|]+) \|$/gm),
  ([, id = '', cell = '']) => ({ id, files: Array.from(cell.matchAll(/`([^`]+)`/g), ([, file = '']) => file) }),
)

describe("SECURITY's threat rows", () => {
  it('each have a test that is named after them, in the files they name', () => {
    assert.ok(listed.length >= 20, `found ${listed.length}`)
    const unproven = listed.filter(({ id, files }) => {
      return files.length === 0 || files.some(file => proofs.get(id)?.has(file) !== true)
    })
    assert.deepEqual(unproven, [])
  })

  it('are all that tests are named after, each once and in order', () => {
    const ids = listed.map(({ id }) => id)
    assert.deepEqual(ids, [...new Set(ids)].sort())
    assert.deepEqual(
      [...proofs.keys()].filter(id => !ids.includes(id)),
      [],
    )
  })
})
