import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { createHiddenText } from '../../src/rewrite/hidden-text.ts'

const hosts = ['broker-1.secret.internal', '10.9.8.7', 'kafka', 'fd00::7']
const hidden = createHiddenText(() => hosts)

describe('addresses in texts for people', () => {
  for (const [text, expected] of [
    ['no route to broker-1.secret.internal:9092 (id: 1)', 'no route to [address] (id: 1)'],
    ['PLAINTEXT://other.host:9092,SSL://10.1.2.3:9093', 'PLAINTEXT://[address],SSL://[address]'],
    ['node broker-1.secret.internal is gone', 'node [address] is gone'],
    ['node BROKER-1.Secret.Internal is gone', 'node [address] is gone'],
    ['listening on [2001:db8::7]:9092', 'listening on [address]'],
    ['peer 2001:db8::7 said no', 'peer [address] said no'],
    ['peer fd00::7.', 'peer [address].'],
    ['from 192.168.0.1.', 'from [address].'],
    ['from /192.168.0.1:40000', 'from /[address]'],
    ['ask kafka', 'ask [address]'],
    ['ask kafka.', 'ask [address].'],
    ['ask kafka:9092', 'ask [address]'],
    ['Unable to find partition 10.1.2.3:9092.', 'Unable to find partition [address].'],
    ['Unable to find partition [fd00::7]:9092.', 'Unable to find partition [address].'],
    ['Unable to find partition kafka:1.', 'Unable to find partition [address].'],
    ['Unable to find partition broker-1.secret.internal:9092.', 'Unable to find partition [address].'],
    ['ask KAFKA, or not', 'ask [address], or not'],
  ] as const) {
    test(`B-35: “${text}” loses its addresses`, () => {
      assert.equal(hidden.hide(text), expected)
      assert.equal(hidden.hide(expected), expected)
    })
  }

  for (const text of [
    '',
    'Topic authorization failed.',
    'The replication factor is larger than 3: 5 available',
    'at 12:30:45 the group was rebalancing',
    'org.apache.kafka.common.errors.InvalidRequestException: no',
    'unknown class kafka.server.Nothing',
    'retention.ms must be at least 1: got -5',
    'Unable to find partition orders:1.',
    'Unable to find partition b0-orders.eu:12.',
    'version 4.4.0 is too old',
    'my-kafka-topic does not exist',
  ]) {
    test(`“${text}” has none and stays as it is`, () => assert.equal(hidden.hide(text), text))
  }

  test('says whether a text names a broker’s host', () => {
    assert.ok(hidden.namesUpstream('x=broker-1.secret.internal'))
    assert.ok(hidden.namesUpstream('ask Kafka'))
    assert.equal(hidden.namesUpstream('org.apache.kafka.common.security.auth.KafkaPrincipalBuilder'), false)
    assert.equal(hidden.namesUpstream('nothing'), false)
  })

  test('follows the hosts that are known now', () => {
    const known: string[] = []
    const text = createHiddenText(() => known)
    assert.equal(text.hide('ask later.example'), 'ask later.example')
    known.push('later.example')
    assert.equal(text.hide('ask later.example'), 'ask [address]')
  })

  test('a host name is text, not a pattern', () => {
    const odd = createHiddenText(() => ['a.b', '(x+)+$', '', '[', 'c\\d'])
    assert.equal(odd.hide('axb'), 'axb')
    assert.equal(odd.hide('see a.b now'), 'see [address] now')
    assert.equal(odd.hide('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx!'), 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx!')
    assert.equal(odd.hide('see (x+)+$ now'), 'see [address] now')
  })

  test('whatever surrounds an address, it does not stay', () => {
    const word = fc.string({ maxLength: 20 }).map(text => text.replaceAll(/[\w.:-]/g, ' '))
    const host = fc.constantFrom(
      'broker-1.secret.internal',
      '10.9.8.7',
      '172.16.5.4:9092',
      'unknown.example:1234',
      '[::1]:9092',
    )
    fc.assert(
      fc.property(word, host, word, (before, address, after) => {
        assert.equal(hidden.hide(`${before}${address}${after}`).includes(address), false)
      }),
    )
  })

  test('the longest text of the protocol costs no more than it should, whatever is in it', () => {
    const pieces = [
      'a',
      '1',
      '.',
      ':',
      '[',
      ']',
      '1.',
      '1:',
      '::',
      'a.',
      'a-',
      '[1',
      '[:',
      '1.1.1.',
      'f:f:',
      'a:',
      '%',
      '-',
      'kafka',
      '10.9.8.',
    ]
    for (const piece of [...pieces, ...pieces.flatMap(one => pieces.map(other => one + other))]) {
      const text = piece.repeat(Math.floor(32_767 / piece.length))
      const times = [1, 2, 3].map(() => {
        const started = performance.now()
        hidden.hide(text)
        return performance.now() - started
      })
      // Quadratic work on this length takes seconds.
      assert.ok(Math.min(...times) < 200, `“${piece}”: ${times.join(', ')} ms`)
    }
  })
})
