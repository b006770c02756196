// Messages as JSON in the form of Kafka's own converters: bytes in base64, ids as text.
import { Span } from '../../src/wire/span.ts'
import type { Field, FieldType, Struct } from '../generator/model.ts'

type Value = Record<string, unknown>

export interface JsonForm {
  /** Java's converters want 64-bit numbers bare; JSON.parse would round them, so our own files quote them. */
  readonly longs: 'bare' | 'quoted'
  readonly leaveOut?: (field: Field) => boolean
}

export function toJson(struct: Struct, value: Value, form: JsonForm): string {
  const members = struct.fields
    .filter(field => form.leaveOut?.(field) !== true)
    .map(field => `${JSON.stringify(field.name)}:${valueToJson(field.type, value[field.name], form)}`)
  return `{${members.join(',')}}`
}

function valueToJson(type: FieldType, value: unknown, form: JsonForm): string {
  if (value === null) return 'null'
  switch (type.kind) {
    case 'array':
      return `[${(value as unknown[]).map(element => valueToJson(type.element, element, form)).join(',')}]`
    case 'struct':
      return toJson(type.struct, value as Value, form)
    case 'bytes':
      return JSON.stringify((value as Buffer).toString('base64'))
    case 'records':
      return JSON.stringify((value as Span).toBuffer().toString('base64'))
    case 'string':
      return JSON.stringify(value)
    case 'scalar':
      return scalarToJson(type.name, value, form)
  }
}

function scalarToJson(name: string, value: unknown, form: JsonForm): string {
  if (name === 'int64') return form.longs === 'bare' ? String(value) : `"${value}"`
  if (name !== 'float64') return JSON.stringify(value)
  // Java's converter insists on a number with a fraction or an exponent; JSON.stringify loses the sign of zero.
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /[.e]/.test(text) ? text : `${text}.0`
}

/** Reads the quoted form; `defaults` gives a fresh message to fill. */
export function fromJson(struct: Struct, json: Value, defaults: (struct: Struct) => Value): Value {
  const value = defaults(struct)
  for (const field of struct.fields) {
    if (field.name in json) value[field.name] = valueFromJson(field.type, json[field.name], defaults)
  }
  return value
}

function valueFromJson(type: FieldType, json: unknown, defaults: (struct: Struct) => Value): unknown {
  if (json === null) return null
  switch (type.kind) {
    case 'array':
      return (json as unknown[]).map(element => valueFromJson(type.element, element, defaults))
    case 'struct':
      return fromJson(type.struct, json as Value, defaults)
    case 'bytes':
      return Buffer.from(json as string, 'base64')
    case 'records':
      return Span.of(Buffer.from(json as string, 'base64'))
    case 'string':
      return json
    case 'scalar':
      return type.name === 'int64' ? BigInt(json as string) : json
  }
}
