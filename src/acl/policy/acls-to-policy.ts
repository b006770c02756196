/**
 * A cluster's own ACLs as rules that decide the same as StandardAuthorizer. What cannot be said in rules is refused by name: a
 * policy that silently lacks a deny would be worse than none.
 */
import { isIP } from 'node:net'
import { topicsOfBrokers } from '../topic-names.ts'
import { everyoneWhy } from './authorizer-settings.ts'
import { isOperation, isResourceType, supportedOperations } from './vocabulary.ts'
import { fitsIntoRow, writeName, writeRow } from './write-row.ts'

/** In Kafka's words, as DescribeAcls and kafka-acls give them. */
export interface Acl {
  /** `TOPIC`, `TRANSACTIONAL_ID` … */
  readonly resourceType: string
  readonly resourceName: string
  /** `LITERAL` or `PREFIXED`. */
  readonly patternType: string
  readonly principal: string
  readonly host: string
  /** `READ`, `ALTER_CONFIGS`, `ALL` … */
  readonly operation: string
  /** `ALLOW` or `DENY`. */
  readonly permissionType: string
}

export interface ImportedPolicy {
  /** Which of the shipped models it needs: the one with hosts only where an ACL names a host. */
  readonly model: 'plain' | 'withHost'
  /** One line for each ACL, without line feeds. */
  readonly rows: readonly string[]
  /** A prefix reaches what brokers keep in topics: `internalTopics: judged` lets it, as Kafka does. */
  readonly reachesInternalTopics: boolean
  /** What is not in the rows, and why. */
  readonly refusals: readonly Refusal[]
}

export interface Refusal {
  /** An ACL as it was given, or the setting of a broker. */
  readonly what: string
  readonly why: string
}

export interface ImportOptions {
  /** The brokers' `allow.everyone.if.no.acl.found`. */
  readonly allowEveryoneIfNoAclFound?: boolean
}

export function aclsToPolicy(acls: readonly Acl[], options: ImportOptions = {}): ImportedPolicy {
  const refusals: Refusal[] = options.allowEveryoneIfNoAclFound ? [everyoneRefusal] : []
  const withHost = acls.some(({ host }) => host !== '*')
  const rows = acls.flatMap(acl => {
    const { fields, why } = fieldsOf(acl)
    if (why !== undefined) refusals.push({ what: described(acl), why })
    if (fields === undefined) return []
    const { host, effect, ...others } = fields
    return [writeRow(['p', ...Object.values(others), ...(withHost ? [host] : []), effect])]
  })
  return {
    model: withHost ? 'withHost' : 'plain',
    rows: [...new Set(rows)],
    reachesInternalTopics: acls.some(reachesInternal),
    refusals,
  }
}

function reachesInternal({ resourceType, patternType, resourceName, permissionType }: Acl): boolean {
  if (resourceType !== 'TOPIC' || permissionType !== 'ALLOW') return false
  const prefix = patternType === 'PREFIXED' ? resourceName : resourceName === '*' ? '' : undefined
  return prefix !== undefined && topicsOfBrokers.some(topic => topic.startsWith(prefix))
}

const everyoneRefusal: Refusal = {
  what: 'allow.everyone.if.no.acl.found=true',
  why: everyoneWhy,
}

interface Fields {
  readonly who: string
  readonly type: string
  readonly name: string
  readonly act: string
  readonly host: string
  readonly effect: string
}

type Read =
  | { readonly fields: Fields; readonly why?: undefined }
  | { readonly fields?: undefined; readonly why: string }

function fieldsOf(acl: Acl): Read {
  const type = camelCase(acl.resourceType)
  const act = acl.operation === 'ALL' ? '*' : camelCase(acl.operation)
  const effect = acl.permissionType.toLowerCase()
  const name = writtenName(acl)
  const who = acl.principal === 'User:*' ? '*' : acl.principal
  if (!isResourceType(type)) return { why: `${acl.resourceType} is no type that rules have` }
  if (act !== '*' && !(isOperation(act) && supportedOperations[type].includes(act)))
    return { why: `${acl.operation} is never asked of a ${type}` }
  if (effect !== 'allow' && effect !== 'deny') return { why: `${acl.permissionType} is no effect` }
  if (name === undefined) return { why: 'no rule can have this name' }
  if (who !== '*' && !/^User:./.test(who)) return { why: 'rules know users and roles alone: write it for each user' }
  if (!fitsIntoRow(who)) return { why: 'no row can hold this principal' }
  if (acl.host !== '*' && isIP(acl.host) === 0) return { why: 'the host is no address: no client ever had it' }
  return { fields: { who, type, name, act, host: acl.host, effect } }
}

const camelCase = (words: string): string =>
  words.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const described = ({
  resourceType,
  resourceName,
  patternType,
  principal,
  host,
  operation,
  permissionType,
}: Acl): string =>
  `${permissionType} ${operation} on ${patternType} ${resourceType} ${JSON.stringify(resourceName)} for ${principal} from ${host}`

function writtenName({ resourceName, patternType }: Acl): string | undefined {
  if (patternType === 'LITERAL') return resourceName === '*' ? '*' : writeName({ kind: 'exact', name: resourceName })
  return patternType === 'PREFIXED' ? writeName({ kind: 'prefix', prefix: resourceName }) : undefined
}
