// Writes tools/messages.json from the message definitions inside Java's client library. Needs Java and Maven.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FieldDefinition, MessageDefinition } from './generator/definition.ts'
import { classPath, kafkaClientsJar, kafkaVersion, run } from './kafka-clients.ts'

const tools = join(import.meta.dirname, '..', '..', 'tools')
const folder = 'common/message/'

/** Facts only: Kafka's prose stays where it is. */
const fieldFacts = [
  'name',
  'type',
  'versions',
  'nullableVersions',
  'tag',
  'taggedVersions',
  'flexibleVersions',
  'default',
  'ignorable',
  'mapKey',
  'entityType',
] as const
const messageFacts = [
  'name',
  'type',
  'apiKey',
  'listeners',
  'validVersions',
  'latestVersionUnstable',
  'flexibleVersions',
] as const

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Partial<Pick<T, K>> {
  const picked: Partial<Pick<T, K>> = {}
  for (const key of keys) if (from[key] !== undefined) picked[key] = from[key]
  return picked
}

function fieldFactsOf(field: FieldDefinition): object {
  const facts = pick(field, fieldFacts)
  return field.fields === undefined ? facts : { ...facts, fields: field.fields.map(fieldFactsOf) }
}

function messageFactsOf(message: MessageDefinition): object {
  const commonStructs = message.commonStructs?.map(struct => ({
    ...pick(struct, ['name', 'versions']),
    fields: struct.fields.map(fieldFactsOf),
  }))
  const fields = message.fields?.map(fieldFactsOf)
  return { ...pick(message, messageFacts), ...(fields && { fields }), ...(commonStructs && { commonStructs }) }
}

/** On-disk records have definitions too; the wire has these only. */
function isOnTheWire(message: MessageDefinition): boolean {
  if (message.type === 'data') return message.name.startsWith('ConsumerProtocol')
  return message.type === 'request' || message.type === 'response' || message.type === 'header'
}

function readErrors(): Record<string, number> {
  const lines = run('java', ['-cp', classPath(), join(tools, 'ListErrors.java')])
    .trim()
    .split('\n')
  const errors = lines.map(line => line.trim().split(' ')).map(([name, code]) => [name!, Number(code)] as const)
  return Object.fromEntries(errors.toSorted((one, other) => one[1] - other[1]))
}

function readMessages(jar: string): MessageDefinition[] {
  const names = run('jar', ['tf', jar])
    .split('\n')
    .filter(name => name.startsWith(folder) && name.endsWith('.json'))
  return names
    .toSorted()
    .map(name => run('unzip', ['-p', jar, name]))
    .map(text => JSON.parse(text.replace(/^\s*\/\/.*$/gm, '')) as MessageDefinition)
    .filter(isOnTheWire)
}

const jar = kafkaClientsJar()
const lines = readMessages(jar).map(message => `    ${JSON.stringify(messageFactsOf(message))}`)
const text = `{
  "source": "org.apache.kafka:kafka-clients:${kafkaVersion}",
  "errors": ${JSON.stringify(readErrors())},
  "messages": [
${lines.join(',\n')}
  ]
}
`
writeFileSync(join(tools, 'messages.json'), text)
console.log(`${lines.length} messages, jar sha256 ${createHash('sha256').update(readFileSync(jar)).digest('hex')}`)
