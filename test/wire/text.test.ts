import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { asciiName, asciiText, shortBytesMax } from '../../src/wire/text.ts'

const nameOf = (text: string): string | undefined => {
  const bytes = Buffer.from(`<${text}>`)
  return asciiName(bytes, 1, bytes.length - 1)
}

describe('asciiName', () => {
  test('names of one hash, and names that differ in one byte, are never each other', () => {
    // 'Aa' and 'BB' are one number to a hash that multiplies by 31.
    const twins = ['Aa', 'BB']
    const long = 'x'.repeat(100)
    for (let turn = 0; turn < 3; turn++) {
      for (const part of twins) {
        for (const name of [part, `topic${part}`, `${part}-topic`, `${long}${part}`, `${part}${long}`, part.repeat(20)])
          assert.equal(nameOf(name), name)
      }
    }
  })

  test('is what Node makes of the same bytes, in whatever order names come', () => {
    const letters = fc.constantFrom('A', 'B', 'a', 'b', '0', '.')
    const name = fc.oneof(
      fc.string({ unit: letters, maxLength: 6 }),
      fc.string({ unit: 'grapheme-ascii', maxLength: shortBytesMax }),
    )
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 200 }), names => {
        for (const each of [...names, ...names.toReversed()]) assert.equal(nameOf(each), each)
      }),
    )
  })

  test('other bytes than ASCII are somebody else’s', () => {
    for (const take of [asciiName, asciiText]) {
      assert.equal(take(Buffer.from('caf\u00e9'), 0, 5), undefined)
      assert.equal(take(Buffer.from([0x61, 0x80, 0x62]), 0, 3), undefined)
      assert.equal(take(Buffer.from([0x61, 0x7f, 0x00]), 0, 3), 'a\u007f\u0000')
      assert.equal(take(Buffer.from('abc'), 1, 1), '')
    }
  })

  test('a name that came before is the same string; a text is not remembered', () => {
    const bytes = Buffer.from('remembered-name')
    const first = asciiName(bytes, 0, bytes.length)
    // Bytes that Node would have to decode anew, if it were asked.
    const decoded: unknown[] = []
    const watched = Object.assign(Buffer.from(bytes), { toString: () => decoded.push(true) })
    assert.equal(asciiName(watched as unknown as Buffer, 0, bytes.length), first)
    assert.equal(decoded.length, 0)
    const secret = Buffer.from('a-value-of-its-own')
    asciiText(secret, 0, secret.length)
    const again = Object.assign(Buffer.from(secret), { toString: () => decoded.push(true) })
    asciiName(again as unknown as Buffer, 0, secret.length)
    assert.equal(decoded.length, 1)
  })
})
