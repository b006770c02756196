import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TwoWaySignals } from '../../src/cli/handed-on-signals.ts'

describe('signals that come by two ways', () => {
  const heard = (...told: readonly (readonly [NodeJS.Signals, 'directly' | 'from the parent', number])[]): string[] => {
    let now = 0
    const signals = new TwoWaySignals({ now: () => now, unheard: () => assert.fail() })
    const all: string[] = []
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) signals.on(signal, name => void all.push(name))
    for (const [signal, way, atMs] of told) {
      now = atMs
      signals.hear(signal, way)
    }
    return all
  }

  test('are one where the ways are two and the moment is one', () => {
    assert.deepEqual(heard(['SIGINT', 'directly', 0], ['SIGINT', 'from the parent', 3]), ['SIGINT'])
    assert.deepEqual(heard(['SIGTERM', 'from the parent', 0], ['SIGTERM', 'directly', 3_000]), ['SIGTERM'])
  })

  test('are two where somebody asks twice, by one way or by both', () => {
    assert.equal(heard(['SIGTERM', 'from the parent', 0], ['SIGTERM', 'from the parent', 3]).length, 2)
    assert.equal(heard(['SIGTERM', 'directly', 0], ['SIGINT', 'from the parent', 3]).length, 2)
    const twice = heard(
      ['SIGINT', 'directly', 0],
      ['SIGINT', 'from the parent', 3],
      ['SIGINT', 'from the parent', 200],
      ['SIGINT', 'directly', 203],
    )
    assert.equal(twice.length, 2)
    assert.equal(heard(['SIGHUP', 'directly', 0], ['SIGHUP', 'from the parent', 11_000]).length, 2)
  })

  test('end a gateway that is still being started', () => {
    const unheard: string[] = []
    const signals = new TwoWaySignals({ now: () => 0, unheard: signal => void unheard.push(signal) })
    signals.hear('SIGTERM', 'from the parent')
    assert.deepEqual(unheard, ['SIGTERM'])
  })
})
