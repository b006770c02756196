import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { UnsupportedVersionError } from '../../src/errors.ts'
import { toJson } from '../../tools/golden/json.ts'
import { loadMessages } from '../../tools/golden/message-code.ts'
import { Random } from '../../tools/golden/random.ts'
import { askJava, drawSample, type Sample, withTags } from '../../tools/golden/sample.ts'
import type { Shape } from '../../tools/golden/values.ts'
import { javaMissing } from '../../tools/kafka-clients.ts'

const seed = Number(process.env.VKITM_SEED ?? Math.floor(Math.random() * 2 ** 32))
const samplesPerVersion = 20
const messages = await loadMessages()

/** Elsewhere a missing Java is a reason to skip; in CI it is a failure. */
const missing = javaMissing()
const skip = missing !== undefined && process.env.CI !== 'true' ? missing : false

function drawSamples(shape: Pick<Shape, 'fill' | 'size'>): Sample[] {
  const random = new Random(seed)
  return messages.flatMap(code =>
    code.versions.flatMap(version =>
      Array.from({ length: samplesPerVersion }, (_, index) =>
        drawSample(code, version, { ...shape, fullness: fullnessOf(index) }, random),
      ),
    ),
  )
}

/** A few of the extremes; the rest at random. */
const fullnessOf = (index: number) => (['dense', 'dense', 'bare', 'bare'] as const)[index] ?? 'random'

const title = ({ code, version }: Sample) => `${code.name} version ${version}, seed ${seed}`

/** Ours for a message: its bytes, or our name for Java's refusal. */
function encode(sample: Sample): Buffer | string {
  try {
    return sample.code.encode(withTags(sample), sample.version)
  } catch (error) {
    if (error instanceof UnsupportedVersionError) return error.name
    throw error
  }
}

/** The same bytes in pieces, so that reads begin and end anywhere. */
function inPieces(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random.below(12)
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  return pieces
}

function compareRead(sample: Sample, bytes: Buffer, random: Random): void {
  const { code, version } = sample
  const expected = toJson(code.root, sample.value, { longs: 'quoted' })
  for (const chunks of [bytes, inPieces(bytes, random)]) {
    const decoded = code.decode(chunks, version) as Record<string, unknown>
    assert.equal(toJson(code.root, decoded, { longs: 'quoted' }), expected, title(sample))
    assert.deepEqual(decoded.unknownTaggedFields ?? [], sample.tags, title(sample))
  }
}

describe('the codec against Java', { skip }, () => {
  it('writes and reads every message and version as Java does', (context: TestContext) => {
    context.diagnostic(`VKITM_SEED=${seed}`)
    const samples = drawSamples({ fill: 'valid', size: 'large' })
    const random = new Random(seed)
    for (const [index, java] of askJava(samples).entries()) {
      const sample = samples[index]!
      assert.ok(typeof java !== 'string', `${title(sample)}: ${java}`)
      const ours = encode(sample)
      assert.ok(typeof ours !== 'string', `${title(sample)}: ${ours}`)
      assert.equal(ours.toString('hex'), java.toString('hex'), title(sample))
      compareRead(sample, java, random)
    }
    context.diagnostic(`${samples.length} messages equal both ways`)
  })

  it('refuses values that a version cannot carry exactly where Java does', (context: TestContext) => {
    const samples = drawSamples({ fill: 'excessive', size: 'small' })
    const counts = { refused: 0, written: 0, notExpressible: 0 }
    for (const [index, java] of askJava(samples).entries()) {
      const sample = samples[index]!
      const ours = encode(sample)
      if (typeof java !== 'string') {
        assert.ok(typeof ours !== 'string', `${title(sample)}: ours ${ours}, Java wrote it`)
        assert.equal(ours.toString('hex'), java.toString('hex'), title(sample))
        counts.written++
      } else if (java.includes('no version can express it')) {
        counts.notExpressible++
      } else {
        assert.match(java, /^(UnsupportedVersionException|NullPointerException)/, title(sample))
        assert.equal(ours, 'UnsupportedVersionError', `${title(sample)}: ${java}`)
        counts.refused++
      }
    }
    context.diagnostic(`VKITM_SEED=${seed} ${JSON.stringify(counts)}`)
    assert.ok(counts.refused > samples.length / 50)
    assert.ok(counts.written > samples.length / 2)
    assert.ok(counts.notExpressible < samples.length / 20)
  })
})
