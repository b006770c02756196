import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createHiddenText } from '../../src/rewrite/hidden-text.ts'
import { hideTexts } from '../../src/rewrite/texts.ts'
import { Span } from '../../src/wire/span.ts'

const hidden = createHiddenText(() => [])

describe('texts in messages', () => {
  test('are found however deep they are, and nothing else is touched', () => {
    const records = Span.of(Buffer.from('a.host:1'))
    const message = {
      errorMessage: 'a.host:1',
      name: 'a.host:1',
      offset: 5n,
      records,
      bytes: Buffer.from('a.host:1'),
      nothing: null,
      names: ['a.host:1'],
      topics: [{ name: 'a.host:1', errorMessage: null }, { partitions: [{ acknowledgeErrorMessage: 'b.host:2' }] }],
      status: [{ statusDetail: 'c.host:3' }],
    }
    assert.equal(hideTexts(message, hidden), true)
    assert.deepEqual(message, {
      errorMessage: '[address]',
      name: 'a.host:1',
      offset: 5n,
      records,
      bytes: Buffer.from('a.host:1'),
      nothing: null,
      names: ['a.host:1'],
      topics: [{ name: 'a.host:1', errorMessage: null }, { partitions: [{ acknowledgeErrorMessage: '[address]' }] }],
      status: [{ statusDetail: '[address]' }],
    })
  })

  test('a message without an address in its texts is not changed', () => {
    assert.equal(
      hideTexts({ errorMessage: 'no', topics: [{ errorMessage: null }, { errorMessage: 'nothing' }] }, hidden),
      false,
    )
  })
})
