/**
 * What a policy does to one API: judges what is asked before a broker sees it, and what is told before the client does.
 * One file per API says what that API touches, in which order Kafka checks it, and how a denial looks there.
 */
import type { Exchange } from '../pipeline/exchange.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestByKey, ResponseByKey } from '../protocol/codec.ts'
import type { TopicCatalog } from '../topology/topic-catalog.ts'
import type { Judge } from './judge.ts'
import type { SessionRoom } from './session-room.ts'

export type Ruling<Response = unknown> =
  /** Goes on as it came; `merge` puts what the client is owed from before into the broker's answer. */
  | { readonly kind: 'whole'; readonly merge?: (response: Response) => void }
  /** Goes on without what was taken out of it; `merge` puts the denials into the broker's answer. */
  | { readonly kind: 'part'; readonly merge?: (response: Response) => void; readonly isLast?: boolean }
  /** No broker sees it. */
  | { readonly kind: 'answer'; readonly response: Response }
  /** No broker sees it and no answer can be given: closed once earlier requests are answered. */
  | { readonly kind: 'close'; readonly reason: string }

type Awaitable<T> = T | Promise<T>

export interface Enforcement<Request = unknown, Response = unknown> {
  /** Takes out of `request` what is denied, in place. */
  request?(request: Request, judge: Judge, exchange: Exchange): Awaitable<Ruling<Response>>
  /**
   * Takes out of `response` what the client may not see, in place; says whether anything changed. The judge is a new
   * one: the policy may have changed while the broker took its time.
   */
  response?(response: Response, judge: Judge, exchange: Exchange): Awaitable<boolean>
}

export type EnforcementOf<Key extends ApiKey> = Enforcement<RequestByKey[Key], ResponseByKey[Key]>

/** What enforcing needs to know of the cluster and of the configuration. */
export interface AclFacts {
  readonly topics: TopicCatalog
  /** Brokers create topics that somebody asks Metadata for (`auto.create.topics.enable`). True while unknown. */
  readonly autoCreatesTopics: () => boolean
  /** Closed whatever the rules say, for one type of resource: `AlterConfigs` of a `broker`. */
  readonly refuses: (apiName: string, resourceType: string) => boolean
  /** Shared by all clusters of the process; one of its own where it is missing. */
  readonly sessionRoom?: SessionRoom
  /** The settings of topics that clients may choose; `harmlessTopicConfigs` where it is missing. */
  readonly topicConfigs?: ReadonlySet<string>
  /**
   * The regular expression that the cluster has of a member of a consumer group, null for none, undefined for no such
   * member: ConsumerGroupDescribe, asked with the gateway's own identity. Without it, members that the gateway does not
   * know have to join again.
   */
  readonly subscribedExpression?: (
    groupId: string,
    memberId: string,
    principal: string,
  ) => Promise<string | null | undefined>
  /** Asked often by long work: makes way for others where its turn has lasted. Without it, each time. */
  readonly pause?: () => Promise<void> | undefined
}

export const whole = Object.freeze({ kind: 'whole' } as const)
export const wholeWith = <Response>(merge: (response: Response) => void): Ruling<Response> => ({ kind: 'whole', merge })
export const part = <Response>(merge?: (response: Response) => void): Ruling<Response> =>
  merge === undefined ? { kind: 'part' } : { kind: 'part', merge }
export const answer = <Response>(response: Response): Ruling<Response> => ({ kind: 'answer', response })
