/**
 * ConsumerGroupHeartbeat: Read on the group, then Describe on every topic that is subscribed to by name; one that is
 * denied denies the heartbeat. An expression never reaches a broker: what becomes of it is told in member-expressions.ts.
 * (KafkaApis.handleConsumerGroupHeartbeat, GroupMetadataManager.maybeUpdateRegularExpressions)
 */
import { clientIdOf, type Exchange } from '../pipeline/exchange.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { ConsumerGroupHeartbeatRequest } from '../protocol/generated/consumer-group-heartbeat-request.ts'
import {
  type ConsumerGroupHeartbeatResponse,
  consumerGroupHeartbeatResponseDefaults,
} from '../protocol/generated/consumer-group-heartbeat-response.ts'
import { type AclFacts, answer, type EnforcementOf, part, type Ruling, whole } from './enforcement.ts'
import { errorMessage } from './error-messages.ts'
import type { Judge } from './judge.ts'
import type { Asked, MemberExpressions } from './member-expressions.ts'
import { group, topic } from './rights.ts'
import { mayDescribeAll } from './subscribed-topics.ts'
import { matchesNothing, type ResolvedTopics, type TopicExpressions } from './topic-expressions.ts'

type Response = ConsumerGroupHeartbeatResponse

export interface HeartbeatRooms {
  readonly members: MemberExpressions
  readonly expressions: TopicExpressions
  readonly subscribedExpression: AclFacts['subscribedExpression']
}

const expressionsFrom = 1

export function enforceConsumerGroupHeartbeat(
  rooms: HeartbeatRooms,
): EnforcementOf<typeof ApiKey.ConsumerGroupHeartbeat> {
  return {
    request(body, judge, exchange) {
      if (!judge.allows(group.read, body.groupId)) return refuse(ErrorCode.GROUP_AUTHORIZATION_FAILED)
      if (!mayDescribeAll(body.subscribedTopicNames ?? [], judge)) return refuse(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
      const heartbeat = new Heartbeat(rooms, body, judge, exchange)
      return exchange.header.apiVersion < expressionsFrom ? heartbeat.judgeWithoutField() : heartbeat.judge()
    },
  }
}

class Heartbeat {
  readonly #rooms: HeartbeatRooms
  readonly #body: ConsumerGroupHeartbeatRequest
  readonly #judge: Judge
  readonly #exchange: Exchange
  readonly #principal: string

  constructor(rooms: HeartbeatRooms, body: ConsumerGroupHeartbeatRequest, judge: Judge, exchange: Exchange) {
    this.#rooms = rooms
    this.#body = body
    this.#judge = judge
    this.#exchange = exchange
    this.#principal = exchange.client.principal
  }

  /** Version 0 cannot say an expression; who said one before, in version 1, has to say it again. */
  judgeWithoutField(): Ruling<Response> {
    const known = this.#known()
    if (this.#body.memberEpoch <= 0 || known === undefined || known.expression === '') return whole
    return fence()
  }

  judge(): Ruling<Response> | Promise<Ruling<Response>> {
    const { memberEpoch, subscribedTopicRegex: expression } = this.#body
    if (memberEpoch < 0) return this.#leave()
    if (expression !== null) return expression === '' ? this.#forwardWithout() : this.#take(expression)
    // A broker would keep what it has of a member that joins again under its id.
    if (memberEpoch === 0) return this.#body.subscribedTopicNames === null ? whole : this.#forwardWithout()
    const known = this.#known()
    if (known === undefined) return this.#meet()
    return known.expression === '' ? whole : this.#refresh(known)
  }

  #known(): Asked | undefined {
    const known = this.#rooms.members.find(this.#body.groupId, this.#body.memberId)
    return known?.principal === this.#principal ? known : undefined
  }

  #leave(): Ruling<Response> {
    this.#rooms.members.forget(this.#body.groupId, this.#body.memberId)
    if (this.#body.subscribedTopicRegex === null) return whole
    this.#body.subscribedTopicRegex = null
    return part()
  }

  #forwardWithout(): Ruling<Response> {
    this.#body.subscribedTopicRegex = ''
    return part(this.#keepWith(this.#nothing()))
  }

  #take(expression: string): Ruling<Response> | Promise<Ruling<Response>> {
    const problem = this.#rooms.expressions.problemOf(expression)
    if (problem !== undefined) return refuse(ErrorCode.INVALID_REGULAR_EXPRESSION, invalid(expression, problem))
    const names = this.#body.subscribedTopicNames ?? this.#known()?.names ?? []
    return this.#resolve(expression).then(resolved => this.#forward(expression, names, resolved))
  }

  /** A heartbeat that says "as before" of a member that is not known here. */
  #meet(): Ruling<Response> | Promise<Ruling<Response>> {
    const { subscribedExpression } = this.#rooms
    if (subscribedExpression === undefined) return fence()
    const { groupId, memberId } = this.#body
    return subscribedExpression(groupId, memberId, this.#principal).then(
      expression => {
        // The broker has its own words for who is no member; who has become one meanwhile is asked about again.
        if (expression === undefined) return whole
        return expression === null || expression === '' ? part(this.#keepWith(this.#nothing())) : fence()
      },
      // Nobody can say: as if there were one.
      () => fence(),
    )
  }

  #nothing(): Asked {
    return { principal: this.#principal, expression: '', names: [], confirmed: undefined }
  }

  async #refresh(known: Asked): Promise<Ruling<Response>> {
    const { expression } = known
    const names = this.#body.subscribedTopicNames ?? known.names
    const resolved = await this.#resolve(expression)
    const isConfirmed = known.confirmed === resolved.digest && this.#body.subscribedTopicNames === null
    return isConfirmed ? whole : this.#forward(expression, names, resolved)
  }

  #resolve(expression: string): Promise<ResolvedTopics> {
    const { client, header } = this.#exchange
    return this.#rooms.expressions.resolve(expression, this.#judge, client, clientIdOf(header))
  }

  #forward(expression: string, names: readonly string[], resolved: ResolvedTopics): Ruling<Response> {
    // Names that the member sent earlier are sent for it again, so they are judged again.
    const own = names.filter(name => this.#judge.sees(topic.describe, name))
    this.#body.subscribedTopicNames = [...new Set([...own, ...resolved.names])]
    this.#body.subscribedTopicRegex = matchesNothing
    return part(this.#keepWith({ principal: this.#principal, expression, names, confirmed: resolved.digest }))
  }

  #keepWith(asked: Asked): (response: Response) => void {
    const { groupId, memberId } = this.#body
    const { members } = this.#rooms
    const isKnown = this.#known() !== undefined
    return ({ errorCode }) => {
      if (errorCode === ErrorCode.NONE) members.keep(groupId, memberId, asked)
      // Not of strangers: whoever is not in a group must not fill the memory.
      else if (isKnown) members.keep(groupId, memberId, { ...asked, confirmed: undefined })
    }
  }
}

/** The words of GroupMetadataManager.throwIfRegularExpressionIsInvalid. */
function invalid(expression: string, problem: string): string {
  return `SubscribedTopicRegex \`${expression}\` is not a valid regular expression: ${problem}.`
}

function fence(): Ruling<Response> {
  return refuse(ErrorCode.FENCED_MEMBER_EPOCH, errorMessage(ErrorCode.FENCED_MEMBER_EPOCH))
}

function refuse(errorCode: number, message: string | null = null): Ruling<Response> {
  return answer({ ...consumerGroupHeartbeatResponseDefaults(), errorCode, errorMessage: message })
}
