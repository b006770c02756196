/**
 * A cluster's own ACLs as rules that decide the same as StandardAuthorizer. What cannot be said in rules is refused by name: a
 * policy that silently lacks a deny would be worse than none.
 */
import { isIP } from 'node:net'
import { EXPRESSION_CHARS_MAX, type NamePattern, readNamePattern } from './name-pattern.ts'
import { isOperation, isResourceType, supportedOperations } from './vocabulary.ts'

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
    return [['p', ...Object.values(others), ...(withHost ? [host] : []), effect].map(quoted).join(', ')]
  })
  return { model: withHost ? 'withHost' : 'plain', rows: [...new Set(rows)], refusals }
}

const everyoneRefusal: Refusal = {
  what: 'allow.everyone.if.no.acl.found=true',
  why: 'allows what no rule names, which no policy does: write the allows that are meant',
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
  const name = writeName(acl)
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

/** The simplest way to write the name that reads back as what is meant. */
function writeName({ resourceName, patternType }: Acl): string | undefined {
  if (patternType === 'LITERAL' && resourceName === '*') return '*'
  const wanted: NamePattern | undefined =
    patternType === 'LITERAL'
      ? { kind: 'exact', name: resourceName }
      : patternType === 'PREFIXED'
        ? { kind: 'prefix', prefix: resourceName }
        : undefined
  if (wanted === undefined) return undefined
  const tilde = resourceName.replace(/^~/, '\\~')
  const plain = wanted.kind === 'prefix' ? `${tilde}*` : tilde.replace(/\*$/, '\\*')
  if (fitsIntoRow(plain) && sameName(readNamePattern(plain), wanted)) return plain
  const expression = `${quoteForRe2(resourceName)}${wanted.kind === 'prefix' ? '.*' : ''}`
  return expression.length <= EXPRESSION_CHARS_MAX ? `~${expression}` : undefined
}

const sameName = (read: NamePattern, wanted: NamePattern): boolean => JSON.stringify(read) === JSON.stringify(wanted)

/** What csv-row.ts reads back unchanged. */
const fitsIntoRow = (value: string): boolean =>
  value === value.trim() && !/[\r\n]|""/.test(value) && !(value.startsWith('"') && value.endsWith('"'))

/** Everything but letters and digits by its number, so that space and quotes fit into a row too. */
const quoteForRe2 = (text: string): string =>
  text.replace(/[^A-Za-z0-9]/gu, character => `\\x{${character.codePointAt(0)!.toString(16)}}`)

const quoted = (field: string): string => (/^"|,/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
