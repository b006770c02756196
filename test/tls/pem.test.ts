import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPem, toPem } from '../../src/tls/pem.ts'

test('text around the blocks is skipped and their order kept', () => {
  const [one, two] = [toPem('CERTIFICATE', Buffer.alloc(70, 1)), toPem('PRIVATE KEY', Buffer.of(2))]
  const blocks = readPem(Buffer.from(`Bag Attributes\r\n    friendlyName: é\r\n${one}junk\n${two}`))
  assert.deepEqual(blocks, [
    { label: 'CERTIFICATE', text: one },
    { label: 'PRIVATE KEY', text: two },
  ])
})

test('a block without its end is an error, not a file without certificates', () => {
  const whole = toPem('CERTIFICATE', Buffer.alloc(100))
  for (const length of [12, 30, whole.length - 10]) {
    assert.throws(() => readPem(Buffer.from(whole.slice(0, length))), /cut short or damaged/)
  }
  assert.throws(() => readPem(Buffer.from(whole.replace('END CERTIFICATE', 'END PRIVATE KEY'))), /cut short or damaged/)
})

test('an empty file has no blocks', () => {
  assert.deepEqual(readPem(Buffer.alloc(0)), [])
})
