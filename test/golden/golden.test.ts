import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { kebabCase, type Struct } from '../../tools/generator/model.ts'
import { fromJson, toJson } from '../../tools/golden/json.ts'
import { loadMessages } from '../../tools/golden/message-code.ts'

interface GoldenEntry {
  readonly version: number
  readonly value: Record<string, unknown>
  readonly tags: readonly (readonly [number, string])[]
  readonly bytes: string
}

const folder = join(import.meta.dirname, '..', '..', '..', 'test', 'golden')
const messages = await loadMessages()
const entriesOf = (name: string) => JSON.parse(readFileSync(join(folder, `${kebabCase(name)}.json`), 'utf8')) as GoldenEntry[]

describe('golden bytes written by Java', () => {
  it('exist for every message and every version, and for nothing else', () => {
    const files = readdirSync(folder).filter(name => name.endsWith('.json'))
    assert.deepEqual(files.toSorted(), messages.map(code => `${kebabCase(code.name)}.json`).toSorted())
    for (const code of messages) {
      assert.deepEqual([...new Set(entriesOf(code.name).map(entry => entry.version))], code.versions, code.name)
    }
  })

  for (const code of messages) {
    it(`${code.name} is written to the same bytes and read to the same values`, () => {
      for (const { version, value, tags, bytes } of entriesOf(code.name)) {
        const golden = Buffer.from(bytes, 'base64')
        const message = fromJson(code.root, value, (struct: Struct) => code.defaults(struct))
        if (tags.length > 0) message.unknownTaggedFields = tags.map(([tag, data]) => ({ tag, data: Buffer.from(data, 'base64') }))
        assert.equal(code.encode(message, version).toString('hex'), golden.toString('hex'), `version ${version}`)
        const decoded = code.decode(golden, version) as Record<string, unknown>
        assert.deepEqual(JSON.parse(toJson(code.root, decoded, { longs: 'quoted' })), value, `version ${version}`)
        assert.deepEqual(decoded.unknownTaggedFields, message.unknownTaggedFields)
      }
    })
  }
})
