/**
 * One request, or one answer, before the policy. Whoever enforces asks here and nowhere else, so that every decision of
 * a request comes from one policy generation, is counted, and is written down where it denies. In audit mode a denial
 * is written down and the answer is yes.
 */
import { type Client, clientIdOf, type Exchange } from '../pipeline/exchange.ts'
import type { Policy, Question, Subject, Verdict } from './policy/policy.ts'
import { cluster, clusterName, type Right } from './rights.ts'

export interface DecisionEvent {
  readonly exchange: Exchange
  readonly right: Right
  readonly name: string
  readonly verdict: Verdict
  readonly generation: number
  /** False where the denial was only noted: audit mode. */
  readonly isEnforced: boolean
}

/** Takes every decision whose outcome a client notices as an error or as success. */
export interface DecisionLog {
  decided(event: DecisionEvent): void
  /** A verdict that only leaves something out of a list, as Kafka logs none of these. */
  filtered(exchange: Exchange, right: Right, isAllowed: boolean): void
  /** The rules tried beside those in force would have said otherwise. */
  differed(event: DecisionEvent & { readonly shadow: Verdict }): void
}

export interface JudgeOptions {
  readonly policy: Policy
  /** Tried beside it; decides nothing. */
  readonly shadow?: Policy | undefined
  readonly exchange: Exchange
  readonly log: DecisionLog
  readonly isEnforcing: boolean
}

export class Judge {
  readonly policy: Policy
  readonly #shadow: Policy | undefined
  readonly #exchange: Exchange
  readonly #log: DecisionLog
  readonly #isEnforcing: boolean
  readonly #subject: Subject
  readonly #api: string
  /** What this request has been told: one that names a topic ten thousand times is one decision. */
  readonly #told = new ToldByName()
  #toldBeside: ToldByName | undefined

  constructor({ policy, shadow, exchange, log, isEnforcing }: JudgeOptions) {
    this.policy = policy
    this.#shadow = shadow
    this.#exchange = exchange
    this.#log = log
    this.#isEnforcing = isEnforcing
    this.#subject = subjectOf(exchange)
    this.#api = exchange.api.name
  }

  /** Whether the client has the right; a denial reaches it as an error. */
  allows(right: Right, name: string): boolean {
    return this.#note(right, name, this.#decide(right, name, false))
  }

  allowsOnCluster(right: (typeof cluster)[keyof typeof cluster]): boolean {
    return this.allows(right, clusterName)
  }

  /**
   * A right that the API asks beside its own, such as Create in Metadata: rules by the API's name cannot grant it, only
   * deny it.
   */
  allowsBeside(right: Right, name: string): boolean {
    return this.#note(right, name, this.#decide(right, name, true))
  }

  /** Whether there is any resource on which the client has the right. */
  allowsOnAny(right: Right): boolean {
    return this.#note(right, '*', { right, name: '*', verdict: this.#askAny(right), isNoted: false })
  }

  /**
   * Whether the client has one of several rights that will do, the narrowest first. The first that is granted is the one
   * that was used, and the only one written down; where none is, the denial of the first.
   */
  allowsOneOf(...ways: readonly [Way, ...Way[]]): boolean {
    const [right, name] = this.#firstGranted(ways) ?? ways[0]
    return this.#note(right, name, this.#decide(right, name, false))
  }

  /** Writes down which of several rights was used, where only now it is known that one was. */
  uses(...ways: readonly Way[]): void {
    const used = this.#firstGranted(ways)
    if (used !== undefined) this.allows(...used)
  }

  /** Whether the client may know of it: what it may not is left out, and nothing is written down. */
  sees(right: Right, name: string): boolean {
    return this.#filter(right, this.#decide(right, name, false))
  }

  /**
   * Whether the rules grant it, also in audit mode, and nothing is written down: for a right that is one of several ways,
   * or of which nobody knows yet whether it is needed.
   */
  grants(right: Right, name: string): boolean {
    const told = this.#decide(right, name, false)
    this.#filter(right, told)
    return told.verdict.allowed
  }

  /** `grants` of a right that the API asks beside its own. */
  grantsBeside(right: Right, name: string): boolean {
    const told = this.#decide(right, name, true)
    this.#filter(right, told)
    return told.verdict.allowed
  }

  /** `grants` on any resource at all. */
  grantsOnAny(right: Right): boolean {
    return this.#askAny(right).allowed
  }

  /** `allowsBeside` where a denial leads to no error by itself. */
  seesBeside(right: Right, name: string): boolean {
    return this.#filter(right, this.#decide(right, name, true))
  }

  /** Kafka's bit field of authorised operations (KIP-430), without the bits this policy takes away. */
  authorizedOperations(bits: number, rights: Readonly<Record<string, Right>>, name: string): number {
    // Nobody asked for them.
    if (bits === notRequested || !this.#isEnforcing) return bits
    let kept = 0
    for (const right of Object.values(rights)) {
      const bit = 1 << right.bit
      if ((bits & bit) !== 0 && this.#decide(right, name, true).verdict.allowed) kept |= bit
    }
    return kept
  }

  /** The same for the cluster: who may not describe it is told nothing (KIP-430). */
  authorizedOnCluster(bits: number): number {
    if (bits === notRequested || !this.#isEnforcing) return bits
    return this.#decide(cluster.describe, clusterName, false).verdict.allowed
      ? this.authorizedOperations(bits, cluster, clusterName)
      : 0
  }

  #decide(right: Right, name: string, secondary: boolean): Told {
    if (secondary) this.#toldBeside ??= new ToldByName()
    const told = secondary ? this.#toldBeside! : this.#told
    const known = told.get(right, name)
    if (known !== undefined) return known
    const news: Told = { right, name, verdict: this.#ask(right, name, secondary), isNoted: false }
    told.add(news)
    return news
  }

  #ask(right: Right, name: string, secondary: boolean): Verdict {
    const { operation, type } = right
    const question: Question = { api: this.#api, operation, type, name, secondary }
    const verdict = this.policy.decide(this.#subject, question)
    if (this.#shadow !== undefined) this.#compare(this.#shadow.decide(this.#subject, question), verdict, right, name)
    return verdict
  }

  #askAny({ operation, type }: Right): Verdict {
    return this.policy.decideAny(this.#subject, { api: this.#api, operation, type })
  }

  #firstGranted(ways: readonly Way[]): Way | undefined {
    return ways.find(([right, name]) => this.#decide(right, name, false).verdict.allowed)
  }

  #compare(shadow: Verdict, verdict: Verdict, right: Right, name: string): void {
    if (shadow.allowed === verdict.allowed) return
    const { generation } = this.policy
    this.#log.differed({
      exchange: this.#exchange,
      right,
      name,
      verdict,
      generation,
      isEnforced: this.#isEnforcing,
      shadow,
    })
  }

  #filter(right: Right, { verdict: { allowed } }: Told): boolean {
    this.#log.filtered(this.#exchange, right, allowed)
    return allowed || !this.#isEnforcing
  }

  /** Written down once, as Kafka does, however often the request says the name. */
  #note(right: Right, name: string, told: Told): boolean {
    const { verdict } = told
    const { generation } = this.policy
    const isEnforced = verdict.allowed || this.#isEnforcing
    if (!told.isNoted) this.#log.decided({ exchange: this.#exchange, right, name, verdict, generation, isEnforced })
    told.isNoted = true
    return verdict.allowed || !this.#isEnforcing
  }
}

/** A right on the resource of that name. */
export type Way = readonly [right: Right, name: string]

interface Told {
  readonly right: Right
  readonly name: string
  readonly verdict: Verdict
  isNoted: boolean
}

/** Most requests ask once: there are no maps before the second question. */
class ToldByName {
  #first: Told | undefined
  #others: Map<Right, Map<string, Told>> | undefined

  get(right: Right, name: string): Told | undefined {
    const first = this.#first
    if (first !== undefined && first.right === right && first.name === name) return first
    return this.#others?.get(right)?.get(name)
  }

  add(told: Told): void {
    if (this.#first === undefined) {
      this.#first = told
      return
    }
    this.#others ??= new Map()
    const byName = this.#others.get(told.right)
    if (byName === undefined) this.#others.set(told.right, new Map([[told.name, told]]))
    else byName.set(told.name, told)
  }
}

/** The default of every authorised-operations field. */
const notRequested = -2147483648

const subjects = new WeakMap<Client, Subject>()

/** Clients say their id with every request and hardly ever change it. */
function subjectOf({ client, header }: Exchange): Subject {
  const clientId = clientIdOf(header)
  const known = subjects.get(client)
  if (known?.clientId === clientId) return known
  const { principal, ip: host, listener } = client
  const subject: Subject = Object.freeze({ principal, host, listener, clientId })
  subjects.set(client, subject)
  return subject
}
