// One message to be compared with Java: what it holds, and how Java is asked for its bytes.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { TaggedField } from '../../src/wire/tagged-field.ts'
import { includes } from '../generator/versions.ts'
import { classPath } from '../kafka-clients.ts'
import { toJson } from './json.ts'
import type { MessageCode } from './message-code.ts'
import type { Random } from './random.ts'
import { type Shape, ValueMaker } from './values.ts'

export interface Sample {
  readonly shape: Shape
  readonly code: MessageCode
  readonly version: number
  readonly value: Record<string, unknown>
  readonly tags: readonly TaggedField[]
}

export function drawSample(code: MessageCode, version: number, shape: Shape, random: Random): Sample {
  const value = new ValueMaker(code, version, shape, random).struct(code.root)
  const tags = includes(code.root.flexible, version) && random.chance(3) ? unknownTags(random) : []
  return { shape, code, version, value, tags }
}

/** Beyond any tag Kafka has given out. */
function unknownTags(random: Random): TaggedField[] {
  return [100, 20_000].map(tag => ({ tag, data: random.bytes(random.below(6)) }))
}

/** The value as our writer takes it. */
export function withTags(sample: Sample): Record<string, unknown> {
  return sample.tags.length === 0 ? sample.value : { ...sample.value, unknownTaggedFields: sample.tags }
}

/** Java's bytes for each sample, or the name of the exception it throws. */
export function askJava(samples: readonly Sample[]): (Buffer | string)[] {
  const source = join(import.meta.dirname, '..', '..', '..', 'tools', 'golden', 'Golden.java')
  const input = samples.map(sample => `${question(sample)}\n`).join('')
  const java = spawnSync('java', ['-Xmx400m', '-XX:+UseSerialGC', '-cp', classPath(), source], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 29,
  })
  if (java.error !== undefined) throw java.error
  const lines = java.stdout.split('\n').slice(0, -1)
  if (java.status !== 0 || lines.length !== samples.length) {
    throw new Error(`java answered ${lines.length} of ${samples.length} lines: ${java.stderr}`)
  }
  return lines.map(line => (line.startsWith('!') ? line.slice(1) : Buffer.from(line, 'base64')))
}

function question({ shape, code, version, value, tags }: Sample): string {
  const json = toJson(code.root, value, {
    longs: 'bare',
    leaveOut: field => shape.fill === 'valid' && !includes(field.versions, version),
  })
  const raw = JSON.stringify(tags.map(tag => [tag.tag, tag.data.toString('base64')]))
  // What a version cannot hold can only be put into Java's message by reading it as another.
  const readAs = shape.fill === 'valid' ? [version] : [version, ...code.versions.toReversed()]
  return `{"name":"${code.javaName}","version":${version},"readAs":[${readAs}],"value":${json},"tags":${raw}}`
}
