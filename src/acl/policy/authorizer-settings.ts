/**
 * What brokers say of their authorizer: whether there is one, whom it never asks, and what it does without an ACL. What no
 * rule can say of it is refused by name, and so is what they do not tell.
 */
import type { Refusal } from './acls-to-policy.ts'

export const authorizerSettings = {
  className: 'authorizer.class.name',
  superUsers: 'super.users',
  everyone: 'allow.everyone.if.no.acl.found',
} as const

/**
 * One broker's settings by name. Null: it has the setting and does not tell its value, as Kafka does with settings of an
 * authorizer, which it does not know itself.
 */
export interface BrokerSettings {
  readonly nodeId: number
  /** Why it told none. */
  readonly failure?: string
  readonly settings: ReadonlyMap<string, string | null>
}

/** What a person says where brokers do not tell. */
export interface Told {
  readonly superUsers?: readonly string[] | undefined
  readonly allowEveryone?: boolean | undefined
}

export interface AuthorizerFindings {
  /** For `policy.superUsers`. */
  readonly superUsers: readonly string[]
  readonly refusals: readonly Refusal[]
}

/** Both of Kafka's own; others decide as they like. */
const authorizers = new Set([
  'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'kafka.security.authorizer.AclAuthorizer',
])

export function judgeAuthorizer(brokers: readonly BrokerSettings[], told: Told): AuthorizerFindings {
  const refusals: Refusal[] = []
  const superUsers = new Set(told.superUsers)
  for (const { nodeId, failure, settings } of brokers) {
    const refuse = (what: string, why: string): void => void refusals.push({ what: `broker ${nodeId}: ${what}`, why })
    if (failure !== undefined) {
      refuse('its settings', failure)
      continue
    }
    judgeClass(settings.get(authorizerSettings.className), refuse)
    const users = settings.get(authorizerSettings.superUsers)
    if (users === null && told.superUsers === undefined)
      refuse(
        authorizerSettings.superUsers,
        'is set, and brokers do not tell to whom: add --super-user User:NAME for each',
      )
    for (const user of (users ?? '').split(';')) if (user.trim() !== '') superUsers.add(user.trim())
    judgeEveryone(settings.get(authorizerSettings.everyone), told, refuse)
  }
  return { superUsers: [...superUsers], refusals }
}

type Refuse = (what: string, why: string) => void

function judgeClass(name: string | null | undefined, refuse: Refuse): void {
  if (name === undefined || name === null || name === '')
    refuse(
      `no ${authorizerSettings.className}`,
      'it asks for no rights at all, which no policy says: write the allows that are meant',
    )
  else if (!authorizers.has(name))
    refuse(
      `${authorizerSettings.className}=${name}`,
      'decides in a way of its own; what is imported decides as StandardAuthorizer does',
    )
}

function judgeEveryone(value: string | null | undefined, { allowEveryone }: Told, refuse: Refuse): void {
  const isHidden = value === null && allowEveryone === undefined
  if (isHidden)
    refuse(
      authorizerSettings.everyone,
      'is set, and brokers do not tell to what: look it up, and add --no-allow-everyone where it is false',
    )
  else if (allowEveryone ?? value?.toLowerCase() === 'true') refuse(`${authorizerSettings.everyone}=true`, everyoneWhy)
}

export const everyoneWhy = 'allows what no rule names, which no policy does: write the allows that are meant'
