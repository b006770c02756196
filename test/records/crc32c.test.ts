import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { crc32c } from '../../src/records/crc32c.ts'

describe('CRC-32C', () => {
  // RFC 3720, appendix B.4.
  const known: [string, Buffer, number][] = [
    ['nothing', Buffer.alloc(0), 0],
    ['the digits', Buffer.from('123456789'), 0xe3069283],
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['ascending bytes', Buffer.from(Array.from({ length: 32 }, (_, byte) => byte)), 0x46dd794e],
    ['descending bytes', Buffer.from(Array.from({ length: 32 }, (_, byte) => 31 - byte)), 0x113fdb5c],
  ]
  for (const [what, bytes, checksum] of known) {
    it(`of ${what} is what RFC 3720 says`, () => assert.equal(crc32c(bytes), checksum))
  }
})
