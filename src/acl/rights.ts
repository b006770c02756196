/** Every right there is: an operation on a type of resource, as Kafka's AclEntry.supportedOperations pairs them. */
import type { Operation, ResourceType } from './policy/policy.ts'

export interface Right {
  readonly type: ResourceType
  readonly operation: Operation
  /** Code of the operation in Kafka's AclOperation, which is its bit in an authorised-operations field. */
  readonly bit: number
}

/** Codes of org.apache.kafka.common.acl.AclOperation. */
const operationCodes = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
  createTokens: 13,
  describeTokens: 14,
  twoPhaseCommit: 15,
} as const satisfies Record<Operation, number>

function rightsOn<const Name extends Operation>(
  type: ResourceType,
  operations: readonly Name[],
): Readonly<Record<Name, Right>> {
  const entries = operations.map(operation => [
    operation,
    Object.freeze({ type, operation, bit: operationCodes[operation] }),
  ])
  return Object.freeze(Object.fromEntries(entries))
}

export const topic = rightsOn('topic', [
  'read',
  'write',
  'create',
  'describe',
  'delete',
  'alter',
  'describeConfigs',
  'alterConfigs',
])
export const group = rightsOn('group', ['read', 'describe', 'delete', 'describeConfigs', 'alterConfigs'])
export const transactionalId = rightsOn('transactionalId', ['describe', 'write', 'twoPhaseCommit'])
export const cluster = rightsOn('cluster', [
  'create',
  'clusterAction',
  'describeConfigs',
  'alterConfigs',
  'idempotentWrite',
  'alter',
  'describe',
])
export const delegationToken = rightsOn('delegationToken', ['describe'])
export const user = rightsOn('user', ['createTokens', 'describeTokens'])

/** The one resource of type cluster. */
export const clusterName = 'kafka-cluster'
