/** Every right there is: an operation on a type of resource, as Kafka's AclEntry.supportedOperations pairs them. */
import { AclOperation } from '../protocol/acl-operation.ts'
import type { Operation, ResourceType } from './policy/policy.ts'

export interface Right {
  readonly type: ResourceType
  readonly operation: Operation
  /** Code of the operation in Kafka's AclOperation, which is its bit in an authorised-operations field. */
  readonly bit: number
}

const operationCodes: Readonly<Record<Operation, number>> = AclOperation

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
  'delete',
  'alter',
  'describe',
  'describeConfigs',
  'alterConfigs',
])
export const group = rightsOn('group', ['read', 'delete', 'describe', 'describeConfigs', 'alterConfigs'])
export const transactionalId = rightsOn('transactionalId', ['write', 'describe', 'twoPhaseCommit'])
export const cluster = rightsOn('cluster', [
  'create',
  'alter',
  'describe',
  'describeConfigs',
  'alterConfigs',
  'clusterAction',
  'idempotentWrite',
])
export const delegationToken = rightsOn('delegationToken', ['describe'])
export const user = rightsOn('user', ['createTokens', 'describeTokens'])

/** The one resource of type cluster. */
export const clusterName = 'kafka-cluster'
