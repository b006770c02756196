/** Nobody is refused anything here: the bit fields a cluster without an authorizer answers (KIP-430). */
import { AclOperation } from '../protocol/acl-operation.ts'

const bits = (...operations: (keyof typeof AclOperation)[]): number =>
  operations.reduce((field, operation) => field | (1 << AclOperation[operation]), 0)

export const everyOperation = {
  topic: bits('read', 'write', 'create', 'delete', 'alter', 'describe', 'describeConfigs', 'alterConfigs'),
  group: bits('read', 'delete', 'describe', 'describeConfigs', 'alterConfigs'),
  cluster: bits('create', 'alter', 'describe', 'clusterAction', 'describeConfigs', 'alterConfigs', 'idempotentWrite'),
} as const
