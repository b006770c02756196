/** Whole messages from the few fields that a test names: everything else gets its default from Kafka's definitions. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { zeroUuid } from '../../src/protocol/empty.ts'
import { Span } from '../../src/wire/span.ts'
import type { Definitions, FieldDefinition, MessageDefinition } from '../../tools/generator/definition.ts'
import { includes, parseVersions } from '../../tools/generator/versions.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const file = join(import.meta.dirname, '..', '..', '..', 'tools', 'messages.json')
const { messages } = JSON.parse(readFileSync(file, 'utf8')) as Definitions
const camelCase = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)

/**
 * `partial` in JSON: 64-bit numbers as numbers or decimal strings, bytes as base64, names as in the codec. Fields that
 * `version` lacks keep their default, so that one message serves many versions.
 * Throws on a field that the message does not have, so that a typing mistake is no test.
 */
export function fillMessage(type: 'request' | 'response', apiKey: number, partial: Json, version: number): unknown {
  const definition = messages.find(message => message.type === type && message.apiKey === apiKey)
  if (definition === undefined) throw new Error(`no ${type} with API key ${apiKey}`)
  return fillStruct(definition.fields ?? [], partial, { definition, version, path: definition.name })
}

interface Place {
  readonly version: number
  readonly definition: MessageDefinition
  readonly path: string
}

function fillStruct(fields: readonly FieldDefinition[], partial: Json, place: Place): unknown {
  const { path, version } = place
  if (partial === null || typeof partial !== 'object' || Array.isArray(partial)) throw new Error(`${path} is no object`)
  const given = partial as { readonly [key: string]: Json }
  const unknown = Object.keys(given).find(key => !fields.some(({ name }) => camelCase(name) === key))
  if (unknown !== undefined) throw new Error(`${path} has no field ${unknown}`)
  const entries = fields.map(field => {
    const name = camelCase(field.name)
    const value = includes(parseVersions(field.versions), version) ? given[name] : undefined
    return [name, fillField(field, value, { ...place, path: `${path}.${name}` })]
  })
  return Object.fromEntries(entries)
}

function fillField(field: FieldDefinition, given: Json | undefined, place: Place): unknown {
  if (given === undefined) return defaultOf(field, place)
  if (given === null) return null
  if (field.type.startsWith('[]')) {
    if (!Array.isArray(given)) throw new Error(`${place.path} is no array`)
    const element = { ...field, type: field.type.slice(2) }
    return given.map((item, at) => fillField(element, item, { ...place, path: `${place.path}[${at}]` }))
  }
  if (/^[A-Z]/.test(field.type)) return fillStruct(fieldsOf(field, place), given, place)
  if (field.type === 'int64') return BigInt(given as number | string)
  if (field.type === 'bytes') return Buffer.from(given as string, 'base64')
  if (field.type === 'records') return Span.of(Buffer.from(given as string, 'base64'))
  return given
}

function fieldsOf(field: FieldDefinition, { definition, path }: Place): readonly FieldDefinition[] {
  const fields = field.fields ?? definition.commonStructs?.find(({ name }) => name === field.type)?.fields
  if (fields === undefined) throw new Error(`${path}: no struct ${field.type}`)
  return fields
}

function defaultOf(field: FieldDefinition, place: Place): unknown {
  const { type } = field
  if (field.default === 'null' || field.default === null) return null
  if (type.startsWith('[]')) return []
  if (/^[A-Z]/.test(type)) return fillStruct(fieldsOf(field, place), {}, place)
  if (type === 'string') return field.default ?? ''
  if (type === 'uuid') return field.default ?? zeroUuid
  if (type === 'bytes') return Buffer.alloc(0)
  if (type === 'records') return Span.empty
  if (type === 'bool') return field.default === true || field.default === 'true'
  return type === 'int64' ? BigInt(field.default ?? 0) : Number(field.default ?? 0)
}
