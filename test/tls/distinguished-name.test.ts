import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { WireError } from '../../src/errors.ts'
import { distinguishedName, subjectOf } from '../../src/tls/distinguished-name.ts'
import { client } from './authorities.ts'
import { Workbench, without } from './programs.ts'

const bench = new Workbench()
after(() => bench.remove())

const der = (tag: number, ...contents: Buffer[]): Buffer => {
  const content = Buffer.concat(contents)
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...length), content])
}

const OIDS: Record<string, string> = {
  CN: '550403',
  SURNAME: '550404',
  SERIALNUMBER: '550405',
  C: '550406',
  L: '550407',
  ST: '550408',
  STREET: '550409',
  O: '55040a',
  OU: '55040b',
  T: '55040c',
  DNQ: '55042e',
  UID: '0992268993f22c640101',
  DC: '0992268993f22c640119',
  EMAIL: '2a864886f70d010901',
  OWN: '2b060104018237831f',
}
const attribute = (type: string, value: string | Buffer, tag = 0x0c): Buffer =>
  der(0x30, der(0x06, Buffer.from(OIDS[type]!, 'hex')), der(tag, Buffer.from(value)))
/** Each argument is one relative name of one or more attributes. */
const name = (...relativeNames: Buffer[][]): Buffer =>
  der(0x30, ...relativeNames.map(attributes => der(0x31, ...attributes)))

/** Right column: what `new X500Principal(der).getName()` of OpenJDK 17 and 25 returned. */
const JAVA: readonly [what: string, der: Buffer, text: string][] = [
  [
    'the order is turned round and a comma escaped',
    name([attribute('C', 'DE', 0x13)], [attribute('O', 'Acme, Inc.')], [attribute('CN', 'alice')]),
    'CN=alice,O=Acme\\, Inc.,C=DE',
  ],
  [
    'every keyword of RFC 2253',
    name(
      [attribute('STREET', 'a')],
      [attribute('DC', 'b', 0x16)],
      [attribute('L', 'c')],
      [attribute('ST', 'd')],
      [attribute('UID', 'e')],
      [attribute('OU', 'f')],
    ),
    'OU=f,UID=e,ST=d,L=c,DC=b,STREET=a',
  ],
  [
    'an e-mail address is a number and hexadecimal',
    name([attribute('CN', 'a@b', 0x16)], [attribute('EMAIL', 'a@b.c', 0x16)]),
    '1.2.840.113549.1.9.1=#16056140622e63,CN=a@b',
  ],
  [
    'types that other tools have names for',
    name([attribute('SERIALNUMBER', '123', 0x13)], [attribute('T', 't')], [attribute('SURNAME', 's')]),
    '2.5.4.4=#0c0173,2.5.4.12=#0c0174,2.5.4.5=#1303313233',
  ],
  [
    'several attributes of one level, in the order of their bytes',
    name([attribute('CN', 'x'), attribute('UID', 'y')], [attribute('O', 'z')]),
    'O=z,CN=x+UID=y',
  ],
  ['the other order of bytes', name([attribute('UID', 'y'), attribute('CN', 'x')]), 'UID=y+CN=x'],
  ['all that RFC 2253 escapes', name([attribute('CN', 'a=b<c>d;e"f\\g+h#i')]), 'CN=a\\=b\\<c\\>d\\;e\\"f\\\\g\\+h\\#i'],
  ['spaces at both ends', name([attribute('CN', ' lead and trail  ')]), 'CN=\\ lead and trail\\ \\ '],
  ['nothing but spaces', name([attribute('CN', '  ')]), 'CN=\\ \\ '],
  ['spaces before what is escaped anyway', name([attribute('CN', '   #')]), 'CN=\\ \\ \\ \\#'],
  [
    'a carriage return counts as space, a line feed does not',
    name([attribute('CN', '\ra\r')], [attribute('O', 'x\ny')]),
    'O=x\ny,CN=\\\ra\\\r',
  ],
  ['a zero byte', name([attribute('CN', 'a\0b')]), 'CN=a\\00b'],
  ['an empty value', name([attribute('CN', '')]), 'CN='],
  ['the empty name', name(), ''],
  ['beyond ASCII', name([attribute('CN', 'ünïcode 日本 😀')]), 'CN=ünïcode 日本 😀'],
  [
    'BMPString, whose bytes Java takes for UTF-8',
    name([attribute('CN', Buffer.from('004a006f', 'hex'), 0x1e)]),
    'CN=\\00J\\00o',
  ],
  ['GeneralString is text', name([attribute('CN', 'gen', 0x1b)]), 'CN=gen'],
  ['UniversalString is not', name([attribute('CN', Buffer.from('00000061', 'hex'), 0x1c)]), 'CN=#1c0400000061'],
  [
    'VisibleString and NumericString are not',
    name([attribute('CN', 'vis', 0x1a)], [attribute('CN', '123', 0x12)]),
    'CN=#1203313233,CN=#1a03766973',
  ],
  ['what is no string at all', name([attribute('CN', Buffer.of(5), 0x02)]), 'CN=#020105'],
  ['numbers of several bytes', name([attribute('OWN', 'a')]), '1.3.6.1.4.1.311.415=#0c0161'],
]

for (const [what, bytes, text] of JAVA) {
  test(`a subject reads as Java prints it: ${what}`, () => assert.equal(distinguishedName(bytes), text))
}

test('the subject is found in a certificate', () => {
  assert.equal(subjectOf(new X509Certificate(client.certificate).raw), 'CN=alice,OU=Payments,O=Acme')
})

test('text that is not UTF-8 is refused: Java prints different bytes alike', () => {
  for (const bytes of ['ff', 'fe', 'c0af', 'eda080']) {
    assert.throws(() => distinguishedName(name([attribute('CN', Buffer.from(bytes, 'hex'))])), WireError)
  }
})

test('a subject beyond 1,024 bytes is refused', () => {
  assert.throws(() => distinguishedName(name([attribute('CN', 'a'.repeat(1024))])), /too long/)
  assert.equal(distinguishedName(name([attribute('CN', 'a'.repeat(1000))])).length, 1003)
})

test('whatever bytes come, nothing but a WireError is thrown', () => {
  const whole = JAVA.map(([, bytes]) => bytes)
  const certificate = new X509Certificate(client.certificate).raw
  for (const bytes of [...whole, certificate]) {
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 0x30, 0x7f, 0x80, 0x84, 0xff]) {
        const changed = Buffer.from(bytes)
        changed[at] = value
        try {
          if (bytes === certificate) subjectOf(changed)
          else distinguishedName(changed)
        } catch (error) {
          assert.ok(error instanceof WireError, String(error))
        }
      }
      assert.throws(
        () =>
          bytes === certificate ? subjectOf(bytes.subarray(0, at % 90)) : distinguishedName(bytes.subarray(0, at)),
        WireError,
      )
    }
  }
})

const PROGRAM = `
import javax.security.auth.x500.X500Principal;
import java.nio.file.*;
import java.util.*;
public class Names {
  public static void main(String[] args) throws Exception {
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      String name = new X500Principal(HexFormat.of().parseHex(line)).getName();
      System.out.println(HexFormat.of().formatHex(name.getBytes("UTF-8")));
    }
  }
}`

describe('against the Java of this machine', { skip: without('java') }, () => {
  const java = async (names: readonly Buffer[]): Promise<string[]> => {
    const list = bench.write('names.txt', names.map(bytes => bytes.toString('hex')).join('\n'))
    const printed = await bench.run('java', ['-Xmx256m', bench.write('Names.java', PROGRAM), list])
    return printed
      .split('\n')
      .slice(0, names.length)
      .map(line => Buffer.from(line, 'hex').toString())
  }

  test('the table above is what it says', async () => {
    assert.deepEqual(
      await java(JAVA.map(([, bytes]) => bytes)),
      JAVA.map(([, , text]) => text),
    )
  })

  test('2,000 random subjects read alike', async () => {
    const seed = Number(process.env.VKITM_SEED ?? Date.now() % 1_000_000)
    const random = generator(seed)
    const names = Array.from({ length: 2000 }, () => randomName(random))
    const printed = await java(names)
    names.forEach((bytes, at) => {
      assert.equal(distinguishedName(bytes), printed[at], `VKITM_SEED=${seed}, subject ${bytes.toString('hex')}`)
    })
  })
})

/** mulberry32 */
function generator(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

function randomName(random: (below: number) => number): Buffer {
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)]!
  const characters = [...' \r\n\t\0,=+<>#;"\\/abzAZ09é日😀\u0301\u2028\u0085']
  const value = () => Array.from({ length: random(8) }, () => pick(characters)).join('')
  const one = () =>
    attribute(pick(Object.keys(OIDS)), value(), pick([0x0c, 0x0c, 0x13, 0x14, 0x16, 0x1a, 0x1b, 0x1c, 0x12]))
  const several = () => Array.from({ length: 1 + Math.floor(random(4) / 3) }, one)
  return name(...Array.from({ length: random(5) }, several))
}
