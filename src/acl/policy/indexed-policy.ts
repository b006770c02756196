/**
 * A policy of a shipped model: an index over its rules. A cold decision looks at what the principal, its roles and everybody hold;
 * a repeated one is a look-up. Immutable, but for that memory.
 */
import { apiKeyOf } from '../../protocol/api-key.ts'
import { isTopicOfBrokers } from '../topic-names.ts'
import { judgeAnyName } from './any-name.ts'
import { isSecondary } from './api-questions.ts'
import { type Found, Holding } from './holding.ts'
import { readNamePattern } from './name-pattern.ts'
import type { OnPolicyError, Policy, Question, Subject, Verdict } from './policy.ts'
import { RoleGraph } from './role-graph.ts'
import type { Rule, RuleSet } from './rule.ts'
import { type Asked, RuleTable } from './rule-table.ts'
import { VerdictMemory } from './verdict-memory.ts'
import { defaultVerdict, failed, superUserVerdict } from './verdicts.ts'
import { EVERYBODY, operationCode, operations, resourceTypes, typeCode, USER_PREFIX } from './vocabulary.ts'

export interface PolicyOptions {
  readonly generation: number
  /** Principals that may do everything: `User:admin`. */
  readonly superUsers: readonly string[]
  /**
   * Whether a prefix or an expression can allow what brokers keep in `__consumer_offsets` and the like, as it does in
   * Kafka ('judged'), or a rule has to name it ('named', the default). A deny counts either way.
   */
  readonly internalTopics?: 'named' | 'judged'
  readonly onError: OnPolicyError
}

type WithoutName = Omit<Question, 'name'>

/** A question in numbers. */
interface Coded extends Asked {
  readonly type: number
  /** The same for all questions that this policy answers alike for the same name. */
  readonly kind: number
}

export class IndexedPolicy implements Policy {
  readonly generation: number
  readonly dependsOnMoreThanPrincipal: boolean
  readonly #superUsers: ReadonlySet<string>
  readonly #onError: OnPolicyError
  readonly #namesInternal: boolean
  readonly #index: RuleIndex
  readonly #memory: VerdictMemory<readonly Holdings[]>
  /** The last question, in words and in numbers: requests of one kind come in rows. */
  #lastAsked: WithoutName | undefined
  #lastCoded: Coded | undefined

  private constructor(index: RuleIndex, options: PolicyOptions) {
    const { generation, superUsers, internalTopics = 'named', onError } = options
    this.#namesInternal = internalTopics === 'named'
    this.generation = generation
    this.#superUsers = new Set(superUsers)
    this.#onError = onError
    this.#index = index
    this.dependsOnMoreThanPrincipal = index.table.hasHosts
    this.#memory = new VerdictMemory(principal => holdingsOf(principal, index))
  }

  /** Yields after every few rules, so that a caller on the event loop can make way for others. */
  static *build(rules: RuleSet, options: PolicyOptions): Generator<void, IndexedPolicy, void> {
    return new IndexedPolicy(yield* buildIndex(rules), options)
  }

  decide(subject: Subject, question: Question): Verdict {
    try {
      if (this.#superUsers.has(subject.principal)) return superUserVerdict
      const coded = this.#code(question)
      const asker = this.#asker(subject)
      const remembered = asker.verdict(coded.kind, question.name)
      if (remembered !== undefined) return remembered
      const verdict = this.#judge({ holdings: asker.held, host: subject.host, name: question.name, coded })
      asker.remember(coded.kind, question.name, verdict)
      return verdict
    } catch (error) {
      return failed(this.#onError, error, { subject, question })
    }
  }

  mustBeNamed(topic: string): boolean {
    return this.#namesInternal && isTopicOfBrokers(topic)
  }

  decideAny(subject: Subject, question: WithoutName): Verdict {
    try {
      if (this.#superUsers.has(subject.principal)) return superUserVerdict
      const asked = this.#code({ ...question, secondary: true })
      const asker = this.#asker(subject)
      // Kinds of decide() are not negative.
      const kind = -1 - asked.kind
      const remembered = asker.verdict(kind, '')
      if (remembered !== undefined) return remembered
      const holdings = asker.held.flatMap(byType => byType[asked.type] ?? [])
      const verdict = judgeAnyName(holdings, { table: this.#index.table, host: subject.host, question, asked })
      asker.remember(kind, '', verdict)
      return verdict
    } catch (error) {
      return failed(this.#onError, error, { subject, question })
    }
  }

  #asker({ principal, host }: Subject) {
    return this.#memory.of(principal, this.dependsOnMoreThanPrincipal ? host : '')
  }

  #code(question: WithoutName): Coded {
    const last = this.#lastAsked
    const isSame =
      last !== undefined &&
      last.api === question.api &&
      last.operation === question.operation &&
      last.type === question.type &&
      last.secondary === question.secondary
    if (isSame) return this.#lastCoded!
    const coded = this.#coded(question)
    const { api, operation, type, secondary } = question
    this.#lastAsked = { api, operation, type, ...(secondary !== undefined && { secondary }) }
    this.#lastCoded = coded
    return coded
  }

  #coded({ api, operation, type, secondary = false }: WithoutName): Coded {
    const [operationNumber, typeNumber, apiNumber] = [operationCode(operation), typeCode(type), apiKeyOf(api)]
    if (operationNumber === undefined || typeNumber === undefined || apiNumber === undefined)
      throw new Error(`no policy answers ${api} ${operation} ${type}: one of these is unknown`)
    const beside = secondary || isSecondary(api, type, operation)
    const kind = typeNumber * operations.length + operationNumber
    // Where no rule names an API, all APIs share what is remembered.
    const whole = this.#index.table.hasApis ? (apiNumber * 2 + (beside ? 1 : 0)) * KINDS + kind : kind
    return { operation: operationNumber, type: typeNumber, api: apiNumber, secondary: beside, kind: whole }
  }

  /** Of the rules that match, the first that denies decides; else the first that allows. */
  #judge({ holdings, host, name, coded }: Case): Verdict {
    const { table } = this.#index
    let deny = NONE
    let allow = NONE
    const mustBeNamed = coded.type === TOPIC && this.mustBeNamed(name)
    const weigh = (rules: readonly number[], how: Found): void => {
      // In doubt a rule counts where it denies, and nowhere else.
      const allows = how === 'named' || (how === 'matched' && !mustBeNamed)
      for (const rule of rules) {
        const isDeny = table.isDeny(rule)
        if (!isDeny && !allows) continue
        if (rule >= (isDeny ? deny : allow) || !table.speaksOf(rule, coded) || !table.matchesHost(rule, host)) continue
        if (isDeny) deny = rule
        else allow = rule
      }
    }
    for (const byType of holdings) byType[coded.type]?.match(name, weigh)
    if (deny !== NONE) return table.verdict(deny)
    return allow === NONE ? defaultVerdict : table.verdict(allow)
  }
}

const KINDS = resourceTypes.length * operations.length
const TOPIC = typeCode('topic')
/** Above every rule's number. */
const NONE = Number.MAX_SAFE_INTEGER

interface Case {
  readonly holdings: readonly Holdings[]
  readonly host: string
  readonly name: string
  readonly coded: Coded
}

/** What one member holds, by the code of a type. */
type Holdings = readonly (Holding | undefined)[]

interface RuleIndex {
  readonly table: RuleTable
  readonly byMember: ReadonlyMap<string, Holdings>
  readonly roles: RoleGraph
}

function* buildIndex({ rules, links }: RuleSet): Generator<void, RuleIndex, void> {
  const table = new RuleTable(rules)
  const byMember = new Map<string, (Holding | undefined)[]>()
  for (const [number, rule] of rules.entries()) {
    table.enter(number)
    const pattern = readNamePattern(rule.name)
    holdingFor(rule, byMember).add(pattern, number)
    // To compile one expression may take as long as a thousand names.
    if (number % SLICE === SLICE - 1 || pattern.kind === 'expression') yield
  }
  for (const holdings of byMember.values()) {
    for (const holding of holdings) {
      holding?.seal()
    }
    yield
  }
  const roles = new RoleGraph()
  for (const [number, { member, role }] of links.entries()) {
    roles.add(member, role)
    if (number % SLICE === SLICE - 1) yield
  }
  return { table, byMember, roles }
}

/** Rules between two yields. */
const SLICE = 50

function holdingFor({ who, type }: Rule, byMember: Map<string, (Holding | undefined)[]>): Holding {
  let holdings = byMember.get(who)
  if (holdings === undefined) {
    holdings = new Array(resourceTypes.length).fill(undefined)
    byMember.set(who, holdings)
  }
  const code = typeCode(type)!
  holdings[code] ??= new Holding()
  return holdings[code]
}

/** The user's own, its roles', everybody's. */
function holdingsOf(principal: string, { byMember, roles }: RuleIndex): readonly Holdings[] {
  // Anything else might be named like a role, and would get what the role may.
  if (!principal.startsWith(USER_PREFIX)) throw new Error(`a principal begins with ${USER_PREFIX}`)
  return [principal, ...roles.rolesOf(principal), EVERYBODY].flatMap(member => {
    const holdings = byMember.get(member)
    return holdings === undefined ? [] : [holdings]
  })
}
