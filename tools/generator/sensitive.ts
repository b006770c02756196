// Finds the fields that may hold an address, a node id or the name of a resource: by Kafka's own mark, by their name,
// and in responses, where a leak would show, every field that can hold text at all.
import type { FieldDefinition, MessageDefinition } from './definition.ts'
import { camelCase } from './model.ts'
import { parseVersions } from './versions.ts'

/** Every path that a rule row must name. `FetchResponse.responses.partitions.currentLeader.leaderId` */
export function sensitivePaths(messages: readonly MessageDefinition[]): string[] {
  return messages.filter(message => parseVersions(message.validVersions) !== undefined).flatMap(messagePaths)
}

function messagePaths(message: MessageDefinition): string[] {
  const common = new Map((message.commonStructs ?? []).map(struct => [struct.name, struct.fields]))
  const visit = (path: string, owner: string, fields: readonly FieldDefinition[] = []): string[] =>
    fields.flatMap(field => {
      const own = `${path}.${camelCase(field.name)}`
      const type = field.type.replace(/^\[\]/, '')
      const nested = field.fields ?? common.get(type)
      if (nested !== undefined) return visit(own, `${field.name} ${type}`, nested)
      return isSensitive(field, owner) || (message.type === 'response' && holdsText(type)) ? [own] : []
    })
  return visit(message.name, message.name, message.fields)
}

const holdsText = (type: string) => type === 'string' || type === 'bytes' || type === 'records'

const names = [
  /Host(Address)?(Filter)?$/,
  /Ports?$/,
  /Endpoints?$/,
  /Listeners?$/,
  /^(Rack|RackId|ClusterId)$/,
  /(Node|Broker|Leader|Replica|Controller|Voter|Candidate|Observer)(Id|Ids|Nodes)?s?$/,
  /(Isr|Elr|IsrNodes|ReplicaNodes|Successors)$/,
  /Topics?$|Topic(Name|Id|Regex|Filter)s?$|TopicNames?$/,
  /Groups?$|Groups?(Id|Name|Filter)s?$/,
  /Transactional(Id|IdPattern|IdPrefix)(s|Filters?)?$/,
  /Resource(Name|NameFilter)$/,
  /^(Coordinator)?Keys?$/,
]

/** A name that says nothing by itself, in a struct about topics, groups or nodes. */
const ownersOfNames = /Topic|Group|Transaction|Broker|Node|Coordinator/

function isSensitive(field: FieldDefinition, owner: string): boolean {
  if (field.entityType !== undefined && field.entityType !== 'producerId') return true
  if (field.type === 'bool') return false
  return (
    names.some(pattern => pattern.test(field.name)) ||
    (/^(Name|Id|Ids|Names)$/.test(field.name) && ownersOfNames.test(owner))
  )
}
