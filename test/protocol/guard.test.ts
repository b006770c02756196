import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type SensitiveKind, sensitiveFields } from '../../src/protocol/sensitive-fields.ts'
import type { FieldDefinition, MessageDefinition } from '../../tools/generator/definition.ts'
import { camelCase } from '../../tools/generator/model.ts'
import { sensitivePaths } from '../../tools/generator/sensitive.ts'
import { readDefinitions } from '../../tools/golden/message-code.ts'

const { messages } = readDefinitions()
const kinds = new Map(sensitiveFields.map(field => [field.path, field.kind]))

/** Fields of the definitions that no row names. */
function unnamed(definitions: readonly MessageDefinition[]): string[] {
  return sensitivePaths(definitions).filter(path => !kinds.has(path))
}

/** The definitions with one more field in a message, at its top or in one of its structs. */
function doctored(message: string, field: FieldDefinition, ...inside: string[]): MessageDefinition[] {
  const extend = (fields: readonly FieldDefinition[], [next, ...rest]: string[]): FieldDefinition[] => {
    if (next === undefined) return [...fields, field]
    assert.ok(fields.some(one => one.name === next))
    return fields.map(one => (one.name === next ? { ...one, fields: extend(one.fields ?? [], rest) } : one))
  }
  return messages.map(one => (one.name === message ? { ...one, fields: extend(one.fields ?? [], inside) } : one))
}

const newField = (name: string, type: string, entityType?: string): FieldDefinition => ({
  name,
  type,
  versions: '0+',
  ...(entityType !== undefined && { entityType }),
})

/** What Kafka itself says of a field. */
function marked(fields: readonly FieldDefinition[] = [], path: string): [string, string][] {
  return fields.flatMap(field => {
    const own = `${path}.${camelCase(field.name)}`
    const below = marked(field.fields, own)
    return field.entityType === undefined ? below : [[own, field.entityType], ...below]
  })
}

describe('sensitive fields', () => {
  it('every field that may hold an address, an id, a name or text for clients has a rule', () => {
    assert.deepEqual(unnamed(messages), [])
  })

  it('no rule names a field that is not there, and none is given twice', () => {
    const found = new Set(sensitivePaths(messages))
    assert.deepEqual(
      sensitiveFields.map(field => field.path).filter(path => !found.has(path)),
      [],
    )
    assert.equal(kinds.size, sensitiveFields.length)
  })

  it('a new field of that sort fails the guard, wherever it is and by whatever it is known', () => {
    const cases: [MessageDefinition[], string][] = [
      [doctored('FetchResponse', newField('BackupHost', 'string')), 'FetchResponse.backupHost'],
      [doctored('FetchRequest', newField('StandbyReplicaId', 'int32')), 'FetchRequest.standbyReplicaId'],
      [doctored('MetadataResponse', newField('Zone', 'string'), 'Brokers'), 'MetadataResponse.brokers.zone'],
      [
        doctored('MetadataResponse', newField('Witnesses', '[]int32', 'brokerId'), 'Topics', 'Partitions'),
        'MetadataResponse.topics.partitions.witnesses',
      ],
      [
        doctored('ProduceRequest', newField('Alias', 'string', 'topicName'), 'TopicData'),
        'ProduceRequest.topicData.alias',
      ],
      [doctored('HeartbeatRequest', newField('ParentGroupId', 'string')), 'HeartbeatRequest.parentGroupId'],
      [doctored('EndTxnRequest', newField('OtherTransactionalId', 'string')), 'EndTxnRequest.otherTransactionalId'],
      [doctored('HeartbeatResponse', newField('Hint', 'bytes')), 'HeartbeatResponse.hint'],
    ]
    for (const [definitions, path] of cases) assert.deepEqual(unnamed(definitions), [path])
  })

  it('agrees with what Kafka itself marks', () => {
    const meanings: Record<string, SensitiveKind> = {
      topicName: 'topic',
      brokerId: 'nodeId',
      groupId: 'group',
      transactionalId: 'transactionalId',
    }
    for (const message of messages) {
      if (message.validVersions === 'none') continue
      for (const [path, entityType] of marked(message.fields, message.name)) {
        if (entityType in meanings) assert.equal(kinds.get(path), meanings[entityType], path)
      }
    }
  })

  it('holds every address of the responses that carry brokers', () => {
    const carriers = new Set(
      sensitiveFields.filter(field => field.kind === 'brokerAddress').map(field => field.path.split('.')[0]),
    )
    for (const name of [
      'Metadata',
      'FindCoordinator',
      'DescribeCluster',
      'DescribeQuorum',
      'Produce',
      'Fetch',
      'ShareFetch',
      'ShareAcknowledge',
    ]) {
      assert.ok(carriers.has(`${name}Response`), name)
    }
  })
})
