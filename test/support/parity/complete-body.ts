/**
 * A request body from the few fields that a test cares about: what the version has and nobody gave gets the schema's
 * default, and what was given but the version does not have is left out. So one description serves every version.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiKey } from '../../../src/protocol/api-key.ts'
import type { RequestByKey } from '../../../src/protocol/codec.ts'
import { zeroUuid } from '../../../src/protocol/empty.ts'
import type { Span } from '../../../src/wire/span.ts'
import { projectRoot } from '../client-builds.ts'

export type Partially<Value> = Value extends bigint | number | string | boolean | null | undefined | Buffer | Span
  ? Value
  : Value extends readonly (infer Element)[]
    ? readonly Partially<Element>[]
    : { readonly [Name in keyof Value]?: Partially<Value[Name]> }

export type PartialBody<Key extends ApiKey> = Partially<RequestByKey[Key]>

interface Field {
  readonly name: string
  readonly type: string
  readonly versions: string
  readonly default?: string | boolean | number
  readonly fields?: readonly Field[]
}

interface Schema {
  readonly apiKey?: number
  readonly type: string
  readonly fields?: readonly Field[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly Field[] }[]
}

type Fields = Record<string, unknown>

const schemas = new Map<number, Schema>(
  (JSON.parse(readFileSync(join(projectRoot, 'tools', 'messages.json'), 'utf8')).messages as Schema[])
    .filter(({ type, apiKey }) => type === 'request' && apiKey !== undefined)
    .map(schema => [schema.apiKey!, schema]),
)

/** @throws where a field is named that no version has: a slip of whoever wrote the description. */
export function completeBody<Key extends ApiKey>(
  key: Key,
  version: number,
  given: PartialBody<Key>,
): RequestByKey[Key] {
  const schema = schemas.get(key)
  if (schema?.fields === undefined) throw new Error(`no request schema of key ${key}`)
  return struct(schema.fields, version, given as Fields, schema) as unknown as RequestByKey[Key]
}

function struct(fields: readonly Field[], version: number, given: Fields, schema: Schema): Fields {
  const unknown = new Set(Object.keys(given))
  const complete: Fields = {}
  for (const field of fields) {
    const name = field.name[0]!.toLowerCase() + field.name.slice(1)
    unknown.delete(name)
    const value = isIn(field.versions, version) ? given[name] : undefined
    complete[name] = value === undefined ? empty(field, version, schema) : filled(field, version, value, schema)
  }
  if (unknown.size > 0) throw new Error(`no such field: ${[...unknown].join(', ')}`)
  return complete
}

function filled(field: Field, version: number, value: unknown, schema: Schema): unknown {
  const inner = fieldsOf(field, schema)
  if (inner === undefined || value === null) return value
  if (!Array.isArray(value)) return struct(inner, version, value as Fields, schema)
  return value.map(element => struct(inner, version, element, schema))
}

function fieldsOf(field: Field, schema: Schema): readonly Field[] | undefined {
  const type = field.type.replace(/^\[\]/, '')
  return field.fields ?? schema.commonStructs?.find(({ name }) => name === type)?.fields
}

function empty(field: Field, version: number, schema: Schema): unknown {
  const given = field.default
  if (given === 'null') return null
  if (field.type.startsWith('[]')) return []
  if (field.type === 'bool') return given === true || given === 'true'
  if (field.type === 'int64') return BigInt(given === undefined ? 0 : String(given))
  if (/^(u?int\d+|float64)$/.test(field.type)) return Number(given ?? 0)
  if (field.type === 'string') return given ?? ''
  if (field.type === 'uuid') return zeroUuid
  if (field.type === 'bytes') return Buffer.alloc(0)
  if (field.type === 'records') return null
  return struct(fieldsOf(field, schema)!, version, {}, schema)
}

function isIn(versions: string, version: number): boolean {
  const [, first = '', open, last] = /^(\d+)(\+)?(?:-(\d+))?$/.exec(versions) ?? []
  if (first === '') return false
  return version >= Number(first) && (open !== undefined || version <= Number(last ?? first))
}
