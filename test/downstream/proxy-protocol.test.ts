import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { parseProxyHeader } from '../../src/downstream/proxy-protocol.ts'
import { WireError } from '../../src/errors.ts'

const v1 = (line: string): Buffer => Buffer.from(`${line}\r\n`, 'latin1')
const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

function v2(versionAndCommand: number, family: number, body: Buffer, declared = body.length): Buffer {
  const head = Buffer.from([versionAndCommand, family, declared >> 8, declared & 0xff])
  return Buffer.concat([signature, head, body])
}
const ipv4 = Buffer.from('c0a80001' + '0a000001' + 'd431' + '2384', 'hex')
const ipv6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000007', 'hex'),
  Buffer.alloc(16),
  Buffer.from('d4312384', 'hex'),
])

describe('the PROXY header', () => {
  for (const [what, header, source] of [
    ['version 1 over IPv4', v1('PROXY TCP4 192.168.0.1 10.0.0.1 54321 9092'), { address: '192.168.0.1', port: 54321 }],
    ['version 1 over IPv6', v1('PROXY TCP6 2001:db8::7 ::1 54321 9092'), { address: '2001:db8::7', port: 54321 }],
    [
      'version 1 over IPv4 in IPv6',
      v1('PROXY TCP6 ::FFFF:c0a8:1 ::1 54321 9092'),
      { address: '192.168.0.1', port: 54321 },
    ],
    ['version 1 of an unknown client', v1('PROXY UNKNOWN'), undefined],
    ['version 1 of an unknown client with addresses', v1('PROXY UNKNOWN ffff::1 ffff::1 1 2'), undefined],
    ['version 2 over IPv4', v2(0x21, 0x11, ipv4), { address: '192.168.0.1', port: 54321 }],
    ['version 2 over IPv6', v2(0x21, 0x21, ipv6), { address: '2001:db8::7', port: 54321 }],
    [
      'version 2 with more behind its addresses',
      v2(0x21, 0x11, Buffer.concat([ipv4, Buffer.alloc(300)])),
      { address: '192.168.0.1', port: 54321 },
    ],
    ['version 2 of the balancer itself', v2(0x20, 0x00, Buffer.alloc(0)), undefined],
    ['version 2 of the balancer itself, with an address that means nothing', v2(0x20, 0x11, ipv4), undefined],
    ['version 2 of an unknown family', v2(0x21, 0x00, Buffer.alloc(9)), undefined],
  ] as const) {
    test(`A-25: ${what} is read, and what follows it left alone`, () => {
      const rest = Buffer.from([0x16, 0x03, 0x01])
      assert.deepEqual(parseProxyHeader(Buffer.concat([header, rest])), { byteLength: header.length, source })
      for (let at = 1; at < header.length; at++) {
        assert.equal(
          parseProxyHeader(header.subarray(0, at)),
          undefined,
          `complete after ${at} of ${header.length} bytes`,
        )
      }
    })
  }

  for (const [what, bytes] of [
    ['a TLS hello', Buffer.from('16030100', 'hex')],
    ['a Kafka request', Buffer.from('0000001200030001', 'hex')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['version 1 in lower case', v1('proxy TCP4 1.2.3.4 1.2.3.4 1 2')],
    ['version 1 without an end', Buffer.from(`PROXY TCP4 ${'1'.repeat(107)}`)],
    ['version 1 of an unknown protocol', v1('PROXY UDP4 1.2.3.4 1.2.3.4 1 2')],
    ['version 1 with an address of the other family', v1('PROXY TCP4 ::1 ::1 1 2')],
    ['version 1 with a name for an address', v1('PROXY TCP4 localhost 1.2.3.4 1 2')],
    ['version 1 with two spaces', v1('PROXY TCP4  1.2.3.4 1.2.3.4 1 2')],
    ['version 1 with a port that is too large', v1('PROXY TCP4 1.2.3.4 1.2.3.4 65536 2')],
    ['version 1 with a negative port', v1('PROXY TCP4 1.2.3.4 1.2.3.4 -1 2')],
    ['version 1 without a port', v1('PROXY TCP4 1.2.3.4 1.2.3.4')],
    ['version 1 with more than it has', v1('PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3')],
    ['version 1 with a destination that is none', v1('PROXY TCP4 1.2.3.4 nowhere 1 2')],
    ['version 2 with another version', v2(0x31, 0x11, ipv4)],
    ['version 2 with an unknown command', v2(0x22, 0x11, ipv4)],
    ['version 2 with addresses cut short', v2(0x21, 0x11, ipv4.subarray(0, 11))],
    ['version 2 with IPv6 addresses cut short', v2(0x21, 0x21, ipv6.subarray(0, 35))],
    ['version 2 over UNIX sockets', v2(0x21, 0x31, Buffer.alloc(216))],
    ['version 2 over UDP', v2(0x21, 0x12, ipv4)],
    ['version 2 that is longer than any', v2(0x21, 0x11, ipv4, 0xffff)],
  ] as const) {
    test(`A-25: ${what} is refused`, () => {
      assert.throws(() => parseProxyHeader(bytes), WireError)
    })
  }

  test('whatever bytes come, it answers at once, with a header, a refusal or a wish for more', () => {
    const anything = fc.uint8Array({ minLength: 1, maxLength: 300 }).map(bytes => Buffer.from(bytes))
    const begun = anything.map(bytes => Buffer.concat([signature, bytes]))
    const lines = fc.string({ maxLength: 150 }).map(text => Buffer.from(`PROXY ${text}\r\n`))
    fc.assert(
      fc.property(fc.oneof(anything, begun, lines), bytes => {
        try {
          const header = parseProxyHeader(bytes)
          if (header === undefined) assert.ok(bytes.length < 16 + 4096)
          else assert.ok(header.byteLength <= bytes.length)
        } catch (error) {
          assert.ok(error instanceof WireError, String(error))
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
