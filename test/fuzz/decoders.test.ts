import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { WireError } from '../../src/errors.ts'
import { Reader } from '../../src/wire/reader.ts'
import { kebabCase } from '../../tools/generator/model.ts'
import { toJson } from '../../tools/golden/json.ts'
import { loadMessages, type MessageCode } from '../../tools/golden/message-code.ts'
import { Random } from '../../tools/golden/random.ts'

const seed = Number(process.env.VKITM_SEED ?? Math.floor(Math.random() * 2 ** 32))
const triesPerSample = process.env.VKITM_FUZZ === 'long' ? 2000 : 20
const folder = join(import.meta.dirname, '..', '..', '..', 'test', 'golden')
const messages = await loadMessages()

/** Lengths and counts that a parser may trip over, in both of Kafka's encodings. */
const hostile = [
  '7fffffff',
  '80000000',
  'ffffffff',
  '7fff',
  '8000',
  'ffff',
  'ffffffff0f',
  'ffffffff7f',
  '8000',
  '00',
  '01',
].map(text => Buffer.from(text, 'hex'))

function samplesOf(code: MessageCode): { version: number; bytes: Buffer }[] {
  const entries = JSON.parse(readFileSync(join(folder, `${kebabCase(code.name)}.json`), 'utf8')) as {
    version: number
    bytes: string
  }[]
  return entries.map(({ version, bytes }) => ({ version, bytes: Buffer.from(bytes, 'base64') }))
}

function mutated(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length + 1)
  const rest = bytes.subarray(at)
  switch (random.below(5)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(4)), rest])
    case 2:
      return Buffer.concat([bytes.subarray(0, at), rest.subarray(1 + random.below(4))])
    case 3: {
      const evil = random.pick(hostile)
      return Buffer.concat([bytes.subarray(0, at), evil, rest.subarray(evil.length)])
    }
    default: {
      const copy = Buffer.from(bytes)
      if (copy.length > 0) copy[random.below(copy.length)]! ^= 1 << random.below(8)
      return copy
    }
  }
}

/** What is decoded at all must come out of our own writer and reader the same. */
function tryOne(code: MessageCode, version: number, bytes: Buffer): boolean {
  let decoded: Record<string, unknown>
  try {
    decoded = code.decode(bytes, version) as Record<string, unknown>
  } catch (error) {
    if (error instanceof WireError) return false
    throw error
  }
  const again = code.decode(code.encode(decoded, version), version) as Record<string, unknown>
  assert.equal(toJson(code.root, again, { longs: 'quoted' }), toJson(code.root, decoded, { longs: 'quoted' }))
  return true
}

describe('decoders fed with damaged messages', () => {
  it('throw nothing but wire errors, and agree with the encoders on whatever they accept', (context: TestContext) => {
    const random = new Random(seed)
    let accepted = 0
    let refused = 0
    for (const code of messages) {
      for (const { version, bytes } of samplesOf(code)) {
        for (let tries = 0; tries < triesPerSample; tries++) {
          const damaged = mutated(bytes, random)
          try {
            if (tryOne(code, version, damaged)) accepted++
            else refused++
          } catch (cause) {
            throw new Error(`VKITM_SEED=${seed} ${code.name} version ${version}: ${damaged.toString('hex')}`, { cause })
          }
        }
      }
    }
    context.diagnostic(`VKITM_SEED=${seed}: ${accepted} accepted, ${refused} refused`)
    assert.ok(accepted > 0 && refused > accepted / 10)
  })

  it('A-05 A-06: hostile counts and tags cost no memory beyond the bytes received', () => {
    const messages = hostile.flatMap(count => [count, Buffer.concat([Buffer.of(0x40), count, count])])
    const reads: ((reader: Reader) => unknown)[] = [
      reader => reader.arrayLength(1),
      reader => reader.compactArrayLength(1),
      reader => reader.taggedFields(),
      reader => reader.bytes(),
      reader => reader.compactRecords(),
    ]
    const buffersBefore = process.memoryUsage().arrayBuffers
    let refused = 0
    for (let tries = 0; tries < 10_000; tries++) {
      const read = reads[tries % reads.length]!
      try {
        read(new Reader(messages[tries % messages.length]!))
      } catch (error) {
        if (!(error instanceof WireError)) throw error
        refused++
      }
    }
    assert.ok(refused > 5000)
    assert.ok(process.memoryUsage().arrayBuffers - buffersBefore < 1 << 20)
  })
})
