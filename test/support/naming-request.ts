/** For any API and version, a request that names one topic wherever a topic can be named, and whatever else is there once. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Definitions, FieldDefinition, MessageDefinition } from '../../tools/generator/definition.ts'
import { includes, parseVersions } from '../../tools/generator/versions.ts'

const file = join(import.meta.dirname, '..', '..', '..', 'tools', 'messages.json')
const { messages } = JSON.parse(readFileSync(file, 'utf8')) as Definitions

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

interface Naming {
  readonly message: MessageDefinition
  readonly version: number
  readonly topics: readonly string[]
  readonly onName: () => void
}

export interface NamingRequest {
  /** For `fillMessage`. */
  readonly partial: Json
  /** False where this version has no place for a topic's name. */
  readonly isNaming: boolean
}

/** With several `topics`, the outermost list of them is that long. */
export function namingRequest(apiKey: number, version: number, topics: readonly string[]): NamingRequest {
  const message = messages.find(({ type, apiKey: key }) => type === 'request' && key === apiKey)
  if (message === undefined) throw new Error(`no request with API key ${apiKey}`)
  let isNaming = false
  const onName = (): void => {
    isNaming = true
  }
  const partial = structOf(message.fields ?? [], { message, version, topics, onName })
  return { partial, isNaming }
}

const camelCase = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)

function structOf(fields: readonly FieldDefinition[], naming: Naming): Json {
  const present = fields.filter(({ versions }) => includes(parseVersions(versions), naming.version))
  return Object.fromEntries(
    present.flatMap(field => {
      const value = fieldOf(field, naming)
      return value === undefined ? [] : [[camelCase(field.name), value]]
    }),
  )
}

function fieldOf(field: FieldDefinition, naming: Naming): Json | undefined {
  const { type } = field
  if (type.startsWith('[]')) return listOf({ ...field, type: type.slice(2) }, naming)
  if (isTopicName(field)) {
    naming.onName()
    return naming.topics[0] ?? ''
  }
  if (field.entityType === 'groupId') return 'group'
  if (field.entityType === 'transactionalId') return 'transaction'
  // A configuration of a topic, where a resource is named by type and name.
  if (field.name === 'ResourceType' && type === 'int8') return 2
  return /^[A-Z]/.test(type) ? structOf(fieldsOf(field, naming), naming) : undefined
}

function listOf(element: FieldDefinition, naming: Naming): Json {
  const one = (topics: readonly string[]): Json | undefined => fieldOf(element, { ...naming, topics })
  const isOuter = naming.topics.length > 1 && namesTopics(element, naming)
  const items = isOuter ? naming.topics.map(topic => one([topic])) : [one(naming.topics)]
  return items.map(item => item ?? (element.type === 'string' ? '' : element.type === 'bytes' ? '' : 0))
}

function namesTopics(field: FieldDefinition, naming: Naming): boolean {
  if (isTopicName(field)) return includes(parseVersions(field.versions), naming.version)
  if (!/^[A-Z]/.test(field.type)) return false
  return fieldsOf(field, naming).some(
    inner =>
      !inner.type.startsWith('[]') && isTopicName(inner) && includes(parseVersions(inner.versions), naming.version),
  )
}

function isTopicName({ type, entityType, name }: FieldDefinition): boolean {
  return type === 'string' && (entityType === 'topicName' || name === 'ResourceName')
}

function fieldsOf(field: FieldDefinition, { message }: Naming): readonly FieldDefinition[] {
  return field.fields ?? message.commonStructs?.find(({ name }) => name === field.type)?.fields ?? []
}
