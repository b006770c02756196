/** Kafka's words for what can be done to what (AclEntry.supportedOperations), as rules spell them. */
import { cluster, clusterName, delegationToken, group, type Right, topic, transactionalId, user } from '../rights.ts'
import type { Operation, ResourceType } from './policy.ts'

/** What a rule of each type may say; `*` and the names of API keys come beside. */
export const supportedOperations: Readonly<Record<ResourceType, readonly Operation[]>> = {
  topic: operationsOf(topic),
  group: operationsOf(group),
  transactionalId: operationsOf(transactionalId),
  cluster: operationsOf(cluster),
  delegationToken: operationsOf(delegationToken),
  user: operationsOf(user),
}

function operationsOf(rights: Readonly<Record<string, Right>>): Operation[] {
  return Object.values(rights).map(({ operation }) => operation)
}

export const resourceTypes = Object.keys(supportedOperations) as readonly ResourceType[]

export const operations: readonly Operation[] = [
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'describeConfigs',
  'alterConfigs',
  'clusterAction',
  'idempotentWrite',
  'twoPhaseCommit',
  'createTokens',
  'describeTokens',
]

/** Kafka's implications, which hold for an allow alone: denying a read denies no describe. */
const implied: Readonly<Partial<Record<Operation, Operation>>> = {
  read: 'describe',
  write: 'describe',
  delete: 'describe',
  alter: 'describe',
  alterConfigs: 'describeConfigs',
}

export function implies(granted: Operation, asked: Operation): boolean {
  return granted === asked || implied[granted] === asked
}

export const ANY_OPERATION = '*'
export const EVERYBODY = '*'
export const USER_PREFIX = 'User:'
export const ROLE_PREFIX = 'role:'
/** The one name there is of type cluster. */
export const CLUSTER_NAME = clusterName
/** Links from a user to the last role that it holds through others: casbin's own limit. */
export const ROLE_CHAIN_MAX = 10

const operationCodes = new Map<string, number>(operations.map((operation, code) => [operation, code]))
const typeCodes = new Map<string, number>(resourceTypes.map((type, code) => [type, code]))

export const operationCode = (word: string): number | undefined => operationCodes.get(word)
export const typeCode = (word: string): number | undefined => typeCodes.get(word)
export const isOperation = (word: string): word is Operation => operationCodes.has(word)
export const isResourceType = (word: string): word is ResourceType => typeCodes.has(word)
