// The code of one field: how it is read, written and compared with its default.
import { type Field, type FieldType, type ScalarType, type Struct, structBytesMin } from './model.ts'
import { condition, negated, stepwise, type Versions } from './versions.ts'

type Condition = boolean | string

const scalarMethods: Record<ScalarType, string> = {
  bool: 'boolean',
  int8: 'int8',
  int16: 'int16',
  uint16: 'uint16',
  int32: 'int32',
  uint32: 'uint32',
  int64: 'int64',
  float64: 'float64',
  uuid: 'uuid',
}

const plainTypes: Record<ScalarType, string> = {
  bool: 'boolean',
  int8: 'number',
  int16: 'number',
  uint16: 'number',
  int32: 'number',
  uint32: 'number',
  int64: 'bigint',
  float64: 'number',
  uuid: 'string',
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

export function typeName(type: FieldType): string {
  switch (type.kind) {
    case 'scalar':
      return plainTypes[type.name]
    case 'string':
      return 'string'
    case 'bytes':
      return 'Buffer'
    case 'records':
      return 'Span'
    case 'struct':
      return type.struct.name
    case 'array':
      return `${typeName(type.element)}[]`
  }
}

export const fieldTypeName = (field: Field) => typeName(field.type) + (isNullable(field) ? ' | null' : '')

export const isNullable = (field: Field) => field.nullable !== undefined || field.literal === 'null'

export function defaultExpression(field: Field): string {
  if (field.literal !== undefined) return field.literal
  return field.type.kind === 'struct' ? `${defaultsName(field.type.struct)}()` : '[]'
}

export const readName = (struct: Struct) => `read${struct.name}`
export const writeName = (struct: Struct) => `write${struct.name}`
export const isDefaultName = (struct: Struct) => `isDefault${struct.name}`
export const defaultsName = (struct: Struct) => `${struct.name.charAt(0).toLowerCase()}${struct.name.slice(1)}Defaults`

function choose(when: Condition, yes: string, no: string): string {
  if (yes === no || when === true) return yes
  return when === false ? no : `${when} ? ${yes} : ${no}`
}

const isChoice = (expression: string) => /^(flexible|version) /.test(expression)
export const nested = (expression: string) => (isChoice(expression) ? `(${expression})` : expression)

/** Where lengths are varints, in the words of the function the code stands in. */
function flexibleIn(field: Field, struct: Struct): Condition {
  const own = condition(field.flexible, field.versions)
  if (typeof own !== 'string') return own
  return own === condition(struct.flexible, struct.versions) || sameStart(field.flexible, struct.flexible)
    ? 'flexible'
    : own
}

const sameStart = (one: Versions | undefined, other: Versions | undefined) => one?.low === other?.low

/** One method call of reader or writer, chosen by encoding and nullability. */
function call(field: Field, struct: Struct, form: (prefix: string, flexible: boolean) => string): string {
  const forEncoding = (flexible: boolean) => {
    const nullable = condition(field.nullable, encodingVersions(field, flexible) ?? field.versions)
    return choose(nullable, form(prefixOf(flexible, true), flexible), form(prefixOf(flexible, false), flexible))
  }
  return choose(flexibleIn(field, struct), nested(forEncoding(true)), nested(forEncoding(false)))
}

const methodName = (prefix: string, name: string) => (prefix === '' ? name : prefix + capitalised(name))

export function readExpression(field: Field, struct: Struct): string {
  const { type } = field
  switch (type.kind) {
    case 'scalar':
      return `reader.${scalarMethods[type.name]}()`
    case 'string':
    case 'bytes':
    case 'records':
      return call(field, struct, prefix => `reader.${methodName(prefix, type.kind)}()`)
    case 'struct':
      return readStructExpression(field, type.struct)
    case 'array':
      return readArrayExpression(field, struct, type.element)
  }
}

function readStructExpression(field: Field, struct: Struct): string {
  const read = `${readName(struct)}(reader, version)`
  const nullable = condition(field.nullable, field.versions)
  return choose(nullable, `reader.int8() < 0 ? null : ${read}`, read)
}

function readArrayExpression(field: Field, struct: Struct, element: FieldType): string {
  if (element.kind === 'scalar') {
    const name = scalarArrayName('read', field, element.name)
    return `${name}(reader, ${flexibleIn(field, struct)})`
  }
  const length = call(field, struct, (prefix, flexible) => {
    const within = encodingVersions(field, flexible)
    return `reader.${methodName(prefix, 'arrayLength')}(${within === undefined ? 0 : elementBytesMin(element, within, flexible)})`
  })
  const name = element.kind === 'struct' ? element.struct.name : 'String'
  const compact = element.kind === 'struct' ? 'version' : flexibleIn(field, struct)
  return `read${isNullable(field) ? 'Nullable' : ''}${name}Array(reader, ${length}, ${compact})`
}

/** The versions of a field that have this encoding. */
function encodingVersions(field: Field, flexible: boolean): Versions | undefined {
  const { low, high } = field.versions
  const first = field.flexible?.low ?? Number.POSITIVE_INFINITY
  if (flexible) return first > high ? undefined : { low: Math.max(low, first), high }
  return first <= low ? undefined : { low, high: Math.min(high, first - 1) }
}

function elementBytesMin(element: FieldType, within: Versions, flexible: boolean): string {
  if (element.kind !== 'struct') return flexible ? '1' : '2'
  return stepwise(within, version => structBytesMin(element.struct, version))
}

export function scalarArrayName(verb: 'read' | 'write', field: Field, element: ScalarType): string {
  return `${verb}${verb === 'read' && isNullable(field) ? 'Nullable' : ''}${capitalised(element)}Array`
}

/** Statements that write a field in the versions that have it. */
export function writeStatements(field: Field, struct: Struct, writer = 'writer'): string[] {
  const { type } = field
  const value = `message.${field.name}`
  switch (type.kind) {
    case 'scalar':
      return [`${writer}.${scalarMethods[type.name]}(${value})`]
    case 'string':
    case 'bytes':
    case 'records':
      return writeByEncoding(field, struct, prefix => [`${writer}.${methodName(prefix, type.kind)}(${value})`])
    case 'struct':
      return writeStructStatements(field, type.struct, writer)
    case 'array':
      return writeArrayStatements(field, struct, type.element, writer)
  }
}

function writeByEncoding(field: Field, struct: Struct, form: (prefix: string) => string[]): string[] {
  const flexible = flexibleIn(field, struct)
  const marked = (compact: boolean) => form(prefixOf(compact, isNullable(field)))
  if (typeof flexible !== 'string') return marked(flexible)
  return [`if (${flexible}) ${marked(true).join('; ')}`, `else ${marked(false).join('; ')}`]
}

function prefixOf(compact: boolean, nullable: boolean): string {
  if (compact) return nullable ? 'compactNullable' : 'compact'
  return nullable ? 'nullable' : ''
}

function writeStructStatements(field: Field, struct: Struct, writer: string): string[] {
  const value = `message.${field.name}`
  const write = `${writeName(struct)}(${writer}, ${value}, version)`
  if (!isNullable(field)) return [write]
  // Where null may not be written it has been refused before.
  const nullable = condition(field.nullable, field.versions)
  const marker = nullable === true ? '' : `if (${nullable}) `
  return [`if (${value} === null) ${writer}.int8(-1)`, 'else {', `  ${marker}${writer}.int8(1)`, `  ${write}`, '}']
}

function writeArrayStatements(field: Field, struct: Struct, element: FieldType, writer: string): string[] {
  const value = `message.${field.name}`
  const flexible = flexibleIn(field, struct)
  if (element.kind === 'scalar')
    return [`${scalarArrayName('write', field, element.name)}(${writer}, ${value}, ${flexible})`]
  if (element.kind === 'string') return [`writeStringArray(${writer}, ${value}, ${flexible})`]
  if (element.kind !== 'struct') throw new Error(`${field.title}: array of ${element.kind}`)
  const length = isNullable(field) ? `${value} === null ? -1 : ${value}.length` : `${value}.length`
  const lengths =
    typeof flexible !== 'string'
      ? [`${writer}.${flexible ? 'compactArrayLength' : 'arrayLength'}(${length})`]
      : [`if (${flexible}) ${writer}.compactArrayLength(${length})`, `else ${writer}.arrayLength(${length})`]
  const elements = isNullable(field) ? `${value} ?? []` : value
  return [...lengths, `for (const element of ${elements}) ${writeName(element.struct)}(${writer}, element, version)`]
}

/** True where the field holds something that a version without it cannot carry; and the opposite. */
export const differsFromDefault = (field: Field) => comparison(field, true)
export const equalsDefault = (field: Field) => comparison(field, false)

function comparison(field: Field, differs: boolean): string {
  const value = `message.${field.name}`
  const operator = differs ? '!==' : '==='
  if (field.literal === 'null') return `${value} ${operator} null`
  const compared = compareValue(field, value, operator, differs)
  if (!isNullable(field)) return compared
  return differs ? `(${value} === null || ${compared})` : `${value} !== null && ${compared}`
}

function compareValue(field: Field, value: string, operator: string, differs: boolean): string {
  switch (field.type.kind) {
    case 'array':
    case 'bytes':
      return `${value}.length ${operator} 0`
    case 'records':
      return `${value}.byteLength ${operator} 0`
    case 'struct':
      return `${differs ? '!' : ''}${isDefaultName(field.type.struct)}(${value})`
    case 'scalar':
      if (field.type.name === 'bool') return differs === (field.literal === 'true') ? `!${value}` : value
      return `${value} ${operator} ${field.literal}`
    case 'string':
      return `${value} ${operator} ${field.literal}`
  }
}

/** Where null is a value of the type but not of every version, it must be refused in the others. */
export function nullRefusal(field: Field): string | undefined {
  if (!isNullable(field)) return undefined
  const allowed = condition(field.nullable, field.versions)
  if (allowed === true) return undefined
  const where = allowed === false ? '' : ` && ${negated(allowed)}`
  return `message.${field.name} === null${where}`
}
