import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { differences, generate } from '../../tools/generate.ts'
import type { Definitions } from '../../tools/generator/definition.ts'
import { kebabCase } from '../../tools/generator/model.ts'
import { condition, intersect, parseVersions, stepwise } from '../../tools/generator/versions.ts'
import { readDefinitions } from '../../tools/golden/message-code.ts'

const folder = join(import.meta.dirname, '..', '..', '..', 'src', 'protocol', 'generated')
const committed = new Map(readdirSync(folder).map(name => [name, readFileSync(join(folder, name), 'utf8')]))

const oneMessage = (field: object): Definitions => ({
  source: 'a test',
  errors: {},
  messages: [
    {
      name: 'ResponseHeader',
      type: 'header',
      validVersions: '0-1',
      flexibleVersions: '1+',
      fields: [{ name: 'F', type: 'int32', versions: '0+', ...field }],
    },
  ],
})

describe('generator', () => {
  it('writes what is committed, byte for byte', () => {
    assert.deepEqual(differences(generate(readDefinitions()), committed), [])
  })

  it('names files that were edited, are missing or are no longer generated', () => {
    const present = new Map(committed)
    present.set('fetch-request.ts', `${present.get('fetch-request.ts')}\n`)
    present.set('left-over.ts', '')
    present.delete('api-table.ts')
    assert.deepEqual(differences(generate(readDefinitions()), present), [
      'api-table.ts',
      'fetch-request.ts',
      'left-over.ts',
    ])
  })

  it('refuses definitions it has no code for instead of guessing', () => {
    assert.throws(() => generate(oneMessage({ type: 'int128' })), /int128/)
    assert.throws(() => generate(oneMessage({ versions: 'some' })), /versions not understood/)
    assert.throws(() => generate(oneMessage({ tag: 0, taggedVersions: '1+' })), /some versions only/)
    const nullableStruct = {
      type: 'S',
      tag: 0,
      versions: '1+',
      taggedVersions: '1+',
      nullableVersions: '1+',
      fields: [],
    }
    assert.throws(() => generate(oneMessage(nullableStruct)), /nullable struct/)
    assert.throws(() => generate(oneMessage({ type: '[]int32', default: '7' })), /default/)
  })

  it('reads version ranges as Kafka writes them', () => {
    assert.deepEqual(parseVersions('3'), { low: 3, high: 3 })
    assert.deepEqual(parseVersions('3-5'), { low: 3, high: 5 })
    assert.deepEqual(parseVersions('3+'), { low: 3, high: Number.POSITIVE_INFINITY })
    assert.equal(parseVersions('none'), undefined)
    assert.equal(intersect(parseVersions('0-2'), parseVersions('3+')), undefined)
  })

  it('asks for the version only where the answer can differ', () => {
    const within = { low: 4, high: 9 }
    assert.equal(condition(parseVersions('0+'), within), true)
    assert.equal(condition(parseVersions('0-3'), within), false)
    assert.equal(condition(parseVersions('6+'), within), 'version >= 6')
    assert.equal(condition(parseVersions('0-6'), within), 'version <= 6')
    assert.equal(condition(parseVersions('5-6'), within), 'version >= 5 && version <= 6')
    assert.equal(condition(parseVersions('5'), within), 'version === 5')
    assert.equal(
      stepwise(within, version => (version < 6 ? 1 : 2)),
      'version >= 6 ? 2 : 1',
    )
  })

  it('names files after messages', () => {
    assert.equal(kebabCase('OffsetForLeaderEpochRequest'), 'offset-for-leader-epoch-request')
    assert.equal(kebabCase('SaslHandshakeRequest'), 'sasl-handshake-request')
  })
})
