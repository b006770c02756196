/**
 * Which regular expressions a cluster has of the members of a consumer group (KIP-848): ConsumerGroupDescribe at the
 * group's coordinator, with the gateway's own identity.
 *
 * Any client can have any group looked up that it may read, as often as it sends a heartbeat. So there is one question
 * for a group at a time, shared by all who wait for it, and its outcome, be it a failure, is good for a second; there
 * are so many at once over all groups, each principal's in its turn; and they share one connection to each coordinator.
 */
import { UpstreamError } from '../errors.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { Turns } from '../turns.ts'
import type { Questions } from './cluster-watch.ts'
import type { HostAndPort } from './dialer.ts'

/** By member id; null for none. */
export type ExpressionsOfGroup = ReadonlyMap<string, string | null>

export interface GroupExpressionsOptions {
  readonly coordinatorOf: (groupId: string) => Promise<HostAndPort>
  readonly connect: (target: HostAndPort) => Promise<Questions>
  /** Monotonic milliseconds. */
  readonly now: () => number
}

interface Answered {
  readonly answer: Promise<ExpressionsOfGroup>
  readonly untilMs: number
}

const goodForMs = 1000
const atOnceMax = 32
/** Of one principal. After a restart every group comes at once, and who is turned away has to join its group again. */
const waitingMax = 10_000
/** Expressions are shown in every version that brokers with expressions know. */
const expressionsFrom = 1

export class GroupExpressions {
  readonly #options: GroupExpressionsOptions
  readonly #turns = new Turns({ atOnce: atOnceMax, atOncePerKey: atOnceMax, waitingPerKeyMax: waitingMax })
  readonly #asking = new Map<string, Promise<ExpressionsOfGroup>>()
  /** The oldest first. */
  readonly #answered = new Map<string, Answered>()
  readonly #coordinators = new Map<string, Promise<Questions>>()
  #isClosed = false

  constructor(options: GroupExpressionsOptions) {
    this.#options = options
  }

  /** Those of all members, none where there is no such group; rejects where nobody can say, or too many are asked for. */
  of(groupId: string, principal: string): Promise<ExpressionsOfGroup> {
    this.#forgetOld()
    const known = this.#answered.get(groupId)?.answer ?? this.#asking.get(groupId)
    if (known !== undefined) return known
    const turn = this.#turns.take(principal)
    if (turn === undefined) return Promise.reject(busy())
    const answer = turn.then(end => this.#ask(groupId).finally(end))
    const settled = (): void => {
      this.#asking.delete(groupId)
      this.#answered.set(groupId, { answer, untilMs: this.#options.now() + goodForMs })
    }
    this.#asking.set(groupId, answer)
    answer.then(settled, settled)
    return answer
  }

  close(): void {
    this.#isClosed = true
    for (const opened of this.#coordinators.values()) {
      void opened.then(questions => questions.close()).catch(() => undefined)
    }
  }

  async #ask(groupId: string): Promise<ExpressionsOfGroup> {
    const questions = await this.#connected(await this.#options.coordinatorOf(groupId))
    const { groups } = await questions.ask(ApiKey.ConsumerGroupDescribe, expressionsFrom, {
      groupIds: [groupId],
      includeAuthorizedOperations: false,
    })
    const [described] = groups
    // No such group, or not of this protocol: it has no such member.
    if (described?.errorCode === ErrorCode.GROUP_ID_NOT_FOUND) return new Map()
    if (described === undefined || described.errorCode !== ErrorCode.NONE) throw unanswered('ConsumerGroupDescribe')
    return new Map(described.members.map(({ memberId, subscribedTopicRegex }) => [memberId, subscribedTopicRegex]))
  }

  async #connected(target: HostAndPort): Promise<Questions> {
    const address = `${target.host}:${target.port}`
    const before = this.#coordinators.get(address)
    if (before !== undefined && (await isOpen(before))) return before
    if (this.#isClosed) throw stopped()
    // Unless somebody else opened one meanwhile.
    if (this.#coordinators.get(address) === before) {
      this.#coordinators.set(address, this.#options.connect(target))
    }
    return this.#coordinators.get(address)!
  }

  #forgetOld(): void {
    const nowMs = this.#options.now()
    for (const [groupId, { untilMs }] of this.#answered) {
      if (nowMs < untilMs) return
      this.#answered.delete(groupId)
    }
  }
}

function isOpen(opened: Promise<Questions>): Promise<boolean> {
  return opened.then(
    ({ isClosed }) => !isClosed,
    () => false,
  )
}

export const unanswered = (api: string): UpstreamError =>
  new UpstreamError('VKITM_UPSTREAM_REFUSED', `the broker did not answer ${api}: let the gateway describe groups`, {
    retriable: true,
  })

const busy = (): UpstreamError =>
  new UpstreamError('VKITM_UPSTREAM_REFUSED', 'too many groups are asked for at once', { retriable: true })

export const stopped = (): UpstreamError =>
  new UpstreamError('VKITM_UPSTREAM_CLOSED', 'the gateway is stopping', { retriable: true })
