/**
 * The rules of a shipped model as columns of numbers, so that one rule is held against a question with a few look-ups and no
 * allocation. What a rule's name matches is in holding.ts.
 */
import { apiKeyOf } from '../../protocol/api-key.ts'
import { ANY_HOST, compileHostPattern, type HostMatch } from './host-pattern.ts'
import type { Verdict } from './policy.ts'
import type { Rule } from './rule.ts'
import { ANY_OPERATION, implies, isOperation, operationCode, operations } from './vocabulary.ts'

/** A question's operation and API as numbers. */
export interface Asked {
  readonly operation: number
  readonly api: number
  readonly secondary: boolean
}

const NO_API = -1
const EVERY_OPERATION = -1

export class RuleTable {
  readonly #rules: readonly Rule[]
  readonly #verdicts: (Verdict | undefined)[]
  /** Bit n: the rule speaks about the operation with code n, implications of an allow included. */
  readonly #operations: Int32Array
  readonly #apis: Int16Array
  readonly #denies: Uint8Array
  /** Places in #hosts. */
  readonly #hostOf: Int32Array
  readonly #hosts: HostMatch[] = []
  readonly #hostNumbers = new Map<string, number>()
  hasApis = false
  hasHosts = false

  constructor(rules: readonly Rule[]) {
    this.#rules = rules
    this.#verdicts = new Array(rules.length)
    this.#operations = new Int32Array(rules.length)
    this.#apis = new Int16Array(rules.length).fill(NO_API)
    this.#denies = new Uint8Array(rules.length)
    this.#hostOf = new Int32Array(rules.length)
  }

  /** Fills in the row of one rule. */
  enter(number: number): void {
    const { act, effect, host } = this.#rules[number]!
    const api = apiKeyOf(act)
    if (api !== undefined) this.#apis[number] = api
    else this.#operations[number] = effect === 'allow' ? granted(act) : denied(act)
    this.#denies[number] = effect === 'deny' ? 1 : 0
    this.#hostOf[number] = this.#hostNumber(host)
    this.hasApis ||= api !== undefined
    this.hasHosts ||= host !== ANY_HOST
  }

  isDeny(number: number): boolean {
    return this.#denies[number] === 1
  }

  speaksOf(number: number, { operation, api, secondary }: Asked): boolean {
    if ((this.#operations[number]! >>> operation) & 1) return true
    return this.#apis[number] === api && (!secondary || this.isDeny(number))
  }

  matchesHost(number: number, host: string): boolean {
    return !this.hasHosts || this.#hosts[this.#hostOf[number]!]!(host)
  }

  rule(number: number): Rule {
    return this.#rules[number]!
  }

  /** One frozen object for each rule, made when it first decides. */
  verdict(number: number): Verdict {
    const made = this.#verdicts[number]
    if (made !== undefined) return made
    const { effect, origin } = this.#rules[number]!
    const verdict: Verdict = Object.freeze({ allowed: effect === 'allow', rule: Object.freeze(origin), why: 'rule' })
    this.#verdicts[number] = verdict
    return verdict
  }

  #hostNumber(host: string): number {
    let number = this.#hostNumbers.get(host)
    if (number === undefined) {
      const matches = compileHostPattern(host)
      if (matches === undefined) throw new Error(`"${host}" is no host`)
      number = this.#hosts.push(matches) - 1
      this.#hostNumbers.set(host, number)
    }
    return number
  }
}

function granted(act: string): number {
  if (act === ANY_OPERATION) return EVERY_OPERATION
  if (!isOperation(act)) throw new Error(`"${act}" is no operation`)
  return operations.reduce((bits, asked, code) => (implies(act, asked) ? bits | (1 << code) : bits), 0)
}

function denied(act: string): number {
  if (act === ANY_OPERATION) return EVERY_OPERATION
  const code = operationCode(act)
  if (code === undefined) throw new Error(`"${act}" is no operation`)
  return 1 << code
}
