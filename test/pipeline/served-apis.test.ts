import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { interBrokerKeys, refusedWith, ServedApis } from '../../src/pipeline/served-apis.ts'
import { allApis, describeApi } from '../../src/protocol/api-table.ts'

const served = new ServedApis()

describe('the APIs served', () => {
  test('every (key, version) from −1 to 127 and beyond is served only where it has a row', () => {
    for (let key = -1; key <= 128; key++) {
      const row = served.versionsOf(key)
      for (const version of [-0x8000, -1, ...Array.from({ length: 40 }, (_, at) => at), 0x7fff]) {
        const found = served.find(key, version)
        const isIn = row !== undefined && version >= row.min && version <= row.max
        assert.equal(found !== undefined, isIn, `${key} v${version}`)
        if (found !== undefined) assert.equal(found.key, key)
      }
    }
  })

  test('B-24: brokers’ own keys have no row, whatever Kafka’s definitions say', () => {
    const expected = [4, 5, 6, 7, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 73, 82, 83, 84, 85, 86, 87]
    assert.deepEqual(
      [...interBrokerKeys].sort((one, other) => one - other),
      expected,
    )
    for (const key of expected) assert.equal(served.versionsOf(key), undefined)
    assert.equal(served.versionsOf(27), undefined)
  })

  test('a login has a row only where there is one, whatever else is open', () => {
    const nothing: ReadonlySet<number> = new Set()
    const without = refusedWith(nothing, { fromClients: false, areReplaced: false })
    assert.deepEqual([...without].sort(), [17, 36])
    const withLogin = refusedWith(new Set([17, 36, 29]), { fromClients: true, areReplaced: false })
    assert.deepEqual([...withLogin], [29])
  })

  test('what acts on the credentials of brokers has none where they see another than the client’s', () => {
    const replaced = refusedWith(new Set(), { fromClients: true, areReplaced: true })
    assert.deepEqual(
      [...replaced].sort((one, other) => one - other),
      [38, 39, 40, 41, 50, 51],
    )
  })

  test('AddPartitionsToTxn ends where its broker-to-broker form begins', () => {
    assert.deepEqual(served.versionsOf(24), { min: 0, max: 3 })
  })

  test('every API of Kafka that clients use has a row, with the versions that can be decoded', () => {
    const refused = new Set([...interBrokerKeys, 17, 27, 36, 38, 39, 40, 41])
    for (const { key, name, minVersion, maxVersion, listeners } of allApis) {
      if (refused.has(key)) continue
      assert.deepEqual(served.versionsOf(key), { min: minVersion, max: key === 24 ? 3 : maxVersion }, name)
      assert.ok(listeners.includes('broker') || describeApi(key) !== undefined)
    }
  })

  test('a row cannot be changed', () => {
    assert.throws(() => {
      ;(served.versionsOf(3) as { max: number }).max = 99
    }, TypeError)
  })
})
