/**
 * Regular expressions by which members of consumer groups subscribe (KIP-848, SubscribedTopicRegex).
 *
 * A broker resolves an expression with its own rules for the principal it sees, which is the gateway's. So the gateway
 * resolves it (topic-expressions.ts) and the broker gets the names. Beside them it gets an expression that is always the
 * same and stands for nothing: it tells who subscribes by expression, and one that changed would take every partition
 * from the member until the broker has resolved it (CurrentAssignmentBuilder). A member sends its expression when it joins and when
 * it changes; in every other heartbeat the field is null, which says "as before". The gateway therefore keeps, for every
 * member that came by,
 *
 *   - what the member asked for, so that a later heartbeat can be resolved again when topics come and go or the policy
 *     changes, and
 *   - a digest of what the broker has confirmed, so that the names are sent again only when they are others; a heartbeat
 *     that failed confirms nothing. The names themselves would be as many lists as there are members.
 *
 *   heartbeat                              known                       not known
 *   epoch 0, names but no expression       forgotten; the broker is told that there is no expression
 *   epoch 0 or more, an expression         resolved, forwarded, kept with the answer
 *   epoch above 0, null                    resolved again              FENCED_MEMBER_EPOCH, so that it joins again and
 *                                                                      says everything; unless the cluster says that the
 *                                                                      member has no expression
 *   epoch −1, −2: leaves                   forgotten                   forwarded
 *
 * The fence is needed after a restart, and for a member that another gateway served: the broker has an expression of
 * it that nobody here could bring up to date. Members without an expression are kept, too: they are not fenced.
 * Bounded by number and by length; whoever is forgotten early joins again. Another principal's member is not known.
 */
import { LRUCache } from 'lru-cache'

export interface Asked {
  readonly principal: string
  /** Empty for none. */
  readonly expression: string
  /** Names that the member subscribed to beside its expression. */
  readonly names: readonly string[]
  /** The digest of the topics that the broker has in the expression's place; undefined where it has none. */
  readonly confirmed: string | undefined
}

export interface MemberExpressionsOptions {
  readonly membersMax?: number
  /** Characters of group ids, member ids, expressions and names. */
  readonly lengthMax?: number
}

/** A name of one letter takes as much in its list. */
const referenceLength = 8

export class MemberExpressions {
  readonly #members: LRUCache<string, Asked>

  constructor({ membersMax = 100_000, lengthMax = 50_000_000 }: MemberExpressionsOptions = {}) {
    this.#members = new LRUCache({ max: membersMax, maxSize: lengthMax, sizeCalculation: lengthOf })
  }

  find(groupId: string, memberId: string): Asked | undefined {
    return this.#members.get(keyOf(groupId, memberId))
  }

  keep(groupId: string, memberId: string, asked: Asked): void {
    this.#members.set(keyOf(groupId, memberId), asked)
  }

  forget(groupId: string, memberId: string): void {
    this.#members.delete(keyOf(groupId, memberId))
  }
}

function keyOf(groupId: string, memberId: string): string {
  return JSON.stringify([groupId, memberId])
}

function lengthOf({ principal, expression, names, confirmed = '' }: Asked, key: string): number {
  const length = key.length + principal.length + expression.length + confirmed.length
  return names.reduce((sum, name) => sum + name.length + referenceLength, length)
}
