import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { apiName } from '../../src/protocol/api-key.ts'
import { deliberate } from '../support/parity/deliberate.ts'
import { read, sectionOf } from './documents.ts'

const lines = Array.from(
  sectionOf(read('SECURITY.md'), '## Stricter than Kafka').matchAll(/^- (.*)$/gm),
  ([, line]) => line!,
)

describe("SECURITY's list of what is stricter than Kafka", () => {
  it('has one line for each deliberate difference, which names its APIs', () => {
    assert.ok(deliberate.length >= 5)
    for (const { securityLine, keys } of deliberate) {
      const named = lines.filter(line => line.startsWith(securityLine))
      assert.equal(named.length, 1, `"${securityLine}" begins ${named.length} lines`)
      for (const key of keys) assert.ok(named[0]!.includes(apiName(key)), `${apiName(key)} in "${securityLine}"`)
    }
  })
})
