/** One request of a batch, described once and built for each side: ids of topics, producers and sessions differ. */
import type { ApiKey } from '../../../src/protocol/api-key.ts'
import type { RequestByKey, ResponseByKey } from '../../../src/protocol/codec.ts'
import type { PartialBody } from './complete-body.ts'
import type { Draw, PrincipalName } from './world.ts'

export interface Producer {
  readonly producerId: bigint
  readonly producerEpoch: number
}

/** What one side alone knows. */
export interface Facts {
  /** Of a topic that is there; else an id that no topic has, the same on both sides. */
  topicId(name: string): string
  /** What the coordinator last said of this transactional id; else a producer that nobody knows. */
  producer(transactionalId: string): Producer
  /** What earlier answers of a script said. */
  readonly notes: Map<string, unknown>
}

/** Random choices are made before: `body` is called once for each side and must describe the same request. */
export interface Request<Key extends ApiKey> {
  readonly body: (facts: Facts) => PartialBody<Key>
  /** Resources named. */
  readonly items: number
}

export type Describe<Key extends ApiKey> = (draw: Draw, version: number) => Request<Key>

export type Requests<Key extends ApiKey> = { readonly [Each in Key]: Describe<Each> }

export interface Step<Key extends ApiKey = ApiKey> extends Request<Key> {
  readonly key: Key
  readonly version: number
  readonly principal: PrincipalName
  /** Steps of the same name and principal share a connection. */
  readonly connection: string
  readonly learn?: (facts: Facts, response: ResponseByKey[Key]) => void
}

/** Produce with acks=0 is never answered: what shows is whether the connection lives. */
export function isUnanswered(key: ApiKey, body: RequestByKey[ApiKey]): boolean {
  return key === 0 && (body as RequestByKey[0]).acks === 0
}
