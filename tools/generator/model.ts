// Turns definitions into what the generator writes from: names resolved, versions cut to those that are valid.
import type { FieldDefinition, MessageDefinition, StructDefinition } from './definition.ts'
import { includes, intersect, parseVersions, type Versions } from './versions.ts'

export const scalarBytes = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
} as const

export type ScalarType = keyof typeof scalarBytes

export type FieldType =
  | { readonly kind: 'scalar'; readonly name: ScalarType }
  | { readonly kind: 'string' | 'bytes' | 'records' }
  | { readonly kind: 'struct'; readonly struct: Struct }
  | { readonly kind: 'array'; readonly element: Exclude<FieldType, { kind: 'array' }> }

export interface Field {
  /** Kafka's name. */
  readonly title: string
  readonly name: string
  readonly type: FieldType
  readonly versions: Versions
  readonly nullable: Versions | undefined
  /** Versions in which lengths are varints. */
  readonly flexible: Versions | undefined
  /** Set where the field is a tagged one (in all versions it has). */
  readonly tag: number | undefined
  readonly ignorable: boolean
  /** A TypeScript expression; undefined where the default is a fresh struct or array. */
  readonly literal: string | undefined
}

export interface Struct {
  readonly name: string
  readonly versions: Versions
  readonly flexible: Versions | undefined
  readonly fields: readonly Field[]
}

export interface Message {
  readonly definition: MessageDefinition
  readonly root: Struct
  /** Every struct of the message, children before those that use them. */
  readonly structs: readonly Struct[]
}

export const camelCase = (name: string) => name.charAt(0).toLowerCase() + name.slice(1)

export const kebabCase = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()

const structName = (type: string) => type.replace(/^\[\]/, '')
const isStruct = (type: string) => /^(\[\])?[A-Z]/.test(type)

/** Struct names that more than one message uses: they get their message's name in front. */
export function sharedStructNames(messages: readonly MessageDefinition[]): ReadonlySet<string> {
  const users = new Map<string, Set<string>>()
  const visit = (message: string, fields: readonly FieldDefinition[] = []): void => {
    for (const field of fields) {
      if (!isStruct(field.type)) continue
      const name = structName(field.type)
      users.set(name, (users.get(name) ?? new Set()).add(message))
      visit(message, field.fields)
    }
  }
  for (const message of messages) {
    visit(message.name, message.fields)
    for (const struct of message.commonStructs ?? []) visit(message.name, struct.fields)
  }
  const shared = new Set(messages.map(message => message.name))
  for (const [name, messageNames] of users) if (messageNames.size > 1) shared.add(name)
  return shared
}

export function buildMessage(definition: MessageDefinition, shared: ReadonlySet<string>): Message {
  const versions = parseVersions(definition.validVersions)
  if (versions === undefined) throw new Error(`${definition.name} has no valid version`)
  const builder = new MessageBuilder(definition, shared)
  const root = builder.struct(definition.name, versions, definition.fields ?? [])
  return { definition, root, structs: builder.structs }
}

class MessageBuilder {
  readonly structs: Struct[] = []
  readonly #definition: MessageDefinition
  readonly #shared: ReadonlySet<string>
  readonly #flexible: Versions | undefined
  readonly #common = new Map<string, StructDefinition>()
  readonly #built = new Map<string, Struct>()

  constructor(definition: MessageDefinition, shared: ReadonlySet<string>) {
    this.#definition = definition
    this.#shared = shared
    this.#flexible = parseVersions(definition.flexibleVersions)
    for (const struct of definition.commonStructs ?? []) this.#common.set(struct.name, struct)
  }

  struct(name: string, versions: Versions, definitions: readonly FieldDefinition[]): Struct {
    const fields: Field[] = []
    for (const definition of definitions) {
      const present = intersect(parseVersions(definition.versions), versions)
      if (present !== undefined) fields.push(this.#field(definition, present))
    }
    const struct: Struct = { name, versions, flexible: intersect(this.#flexible, versions), fields }
    this.structs.push(struct)
    return struct
  }

  #field(definition: FieldDefinition, versions: Versions): Field {
    const type = this.#type(definition, versions)
    const tagged = parseVersions(definition.taggedVersions)
    if (tagged !== undefined && definition.taggedVersions !== definition.versions) {
      throw new Error(`${definition.name}: tagged in some versions only`)
    }
    const nullable = intersect(parseVersions(definition.nullableVersions), versions)
    if (tagged !== undefined && nullable !== undefined && type.kind === 'struct') {
      throw new Error(`${definition.name}: a nullable struct as a tagged field`)
    }
    const flexible =
      definition.flexibleVersions === undefined ? this.#flexible : parseVersions(definition.flexibleVersions)
    return {
      title: definition.name,
      name: camelCase(definition.name),
      type,
      versions,
      nullable,
      flexible: intersect(flexible, versions),
      tag: tagged === undefined ? undefined : definition.tag,
      ignorable: definition.ignorable === true,
      literal: defaultLiteral(definition, type),
    }
  }

  #type(definition: FieldDefinition, versions: Versions): FieldType {
    const element = this.#elementType(definition, versions)
    return definition.type.startsWith('[]') ? { kind: 'array', element } : element
  }

  #elementType(definition: FieldDefinition, versions: Versions): Exclude<FieldType, { kind: 'array' }> {
    const name = structName(definition.type)
    if (name in scalarBytes) return { kind: 'scalar', name: name as ScalarType }
    if (name === 'string' || name === 'bytes' || name === 'records') return { kind: name }
    if (!isStruct(name)) throw new Error(`${definition.name}: type ${definition.type} not known`)
    return { kind: 'struct', struct: this.#structOf(name, definition, versions) }
  }

  #structOf(name: string, definition: FieldDefinition, versions: Versions): Struct {
    const built = this.#built.get(name)
    if (built !== undefined) return built
    const common = this.#common.get(name)
    const valid = parseVersions(this.#definition.validVersions)
    const within = common === undefined ? versions : intersect(parseVersions(common.versions), valid)
    if (within === undefined) throw new Error(`${name} has no valid version`)
    const fullName = this.#shared.has(name) ? this.#definition.name + name : name
    const struct = this.struct(fullName, within, common?.fields ?? definition.fields ?? [])
    this.#built.set(name, struct)
    return struct
  }
}

function defaultLiteral(definition: FieldDefinition, type: FieldType): string | undefined {
  const text = definition.default === undefined ? '' : String(definition.default)
  if (text === 'null') return 'null'
  switch (type.kind) {
    case 'array':
    case 'struct':
    case 'records':
      if (text !== '') throw new Error(`${definition.name}: default ${text}`)
      return type.kind === 'records' ? 'Span.empty' : undefined
    case 'string':
      return `'${text}'`
    case 'bytes':
      return 'emptyBytes'
    case 'scalar':
      return scalarLiteral(type.name, text)
  }
}

function scalarLiteral(name: ScalarType, text: string): string {
  if (name === 'uuid') return 'zeroUuid'
  if (name === 'bool') return text.toLowerCase() === 'true' ? 'true' : 'false'
  if (name === 'int64') return `${BigInt(text === '' ? 0 : text)}n`
  return String(Number(text === '' ? 0 : text))
}

/** The fewest bytes a field takes in one version, tagged ones taking none. */
export function fieldBytesMin(field: Field, version: number): number {
  if (!includes(field.versions, version) || field.tag !== undefined) return 0
  const flexible = includes(field.flexible, version)
  switch (field.type.kind) {
    case 'scalar':
      return scalarBytes[field.type.name]
    case 'string':
      return flexible ? 1 : 2
    case 'array':
    case 'bytes':
    case 'records':
      return flexible ? 1 : 4
    case 'struct':
      return includes(field.nullable, version) ? 1 : structBytesMin(field.type.struct, version)
  }
}

export function structBytesMin(struct: Struct, version: number): number {
  let total = includes(struct.flexible, version) ? 1 : 0
  for (const field of struct.fields) total += fieldBytesMin(field, version)
  return total
}
