/**
 * Which topics a regular expression stands for: of those that are there, the ones whose whole name it matches and that
 * the client may describe. RE2, as Kafka takes it for KIP-848, so that no expression can take exponential time.
 *
 * What a broker gets are the names. Where it must have an expression (streams groups), it gets an alternation of them: a
 * string of the protocol holds 32,767 bytes; where the names do not fit, they are subscribed to as names.
 */
import { setImmediate } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { RE2JS, RE2JSSyntaxException } from 're2js'
import type { Client } from '../pipeline/exchange.ts'
import type { TopicCatalog } from '../topology/topic-catalog.ts'
import type { Judge } from './judge.ts'
import { topic } from './rights.ts'

export interface TopicAlternation {
  /** An expression for exactly these topics. */
  readonly expression: string
  /** Names beside it. */
  readonly names: readonly string[]
}

export interface TopicExpressionsOptions {
  readonly topics: Pick<TopicCatalog, 'everyName'>
  /** Resolutions kept. */
  readonly resolvedMax?: number
}

const expressionLengthMax = 1024
/** Instructions of the compiled expression: matching takes at most so many steps for each letter. */
const programSizeMax = 4000
/** Names matched before others get their turn. */
const sliceLength = 500
const stringBytesMax = 32_767
/** No topic can be called that, so it stands for none. An empty expression would say "none is subscribed to". */
export const matchesNothing = '/'

export class TopicExpressions {
  readonly #topics: Pick<TopicCatalog, 'everyName'>
  readonly #resolved: LRUCache<string, readonly string[]>
  #names: readonly string[] | undefined
  #generation: number | undefined

  constructor({ topics, resolvedMax = 1000 }: TopicExpressionsOptions) {
    this.#topics = topics
    this.#resolved = new LRUCache({ max: resolvedMax })
  }

  /** `expression` is one that `problemOf` finds nothing wrong with. */
  async resolve(expression: string, judge: Judge, client: Client, clientId: string): Promise<readonly string[]> {
    const names = await this.#topics.everyName()
    this.#forgetOutdated(names, judge.policy.generation)
    const key = JSON.stringify([expression, ...subjectOf(judge, client, clientId)])
    const known = this.#resolved.get(key)
    if (known !== undefined) return known
    const resolved = Object.freeze(await matching(RE2JS.compile(expression), names, judge))
    // Meanwhile there may be newer names or another policy.
    if (this.#names === names && this.#generation === judge.policy.generation) this.#resolved.set(key, resolved)
    return resolved
  }

  #forgetOutdated(names: readonly string[], generation: number): void {
    if (this.#names === names && this.#generation === generation) return
    this.#resolved.clear()
    this.#names = names
    this.#generation = generation
  }
}

/** What a policy may look at decides who shares a resolution. */
function subjectOf(judge: Judge, { principal, ip, listener }: Client, clientId: string): string[] {
  return judge.policy.dependsOnMoreThanPrincipal ? [principal, ip, listener, clientId] : [principal]
}

/** Why an expression cannot be taken, in the words of RE2/J; undefined where it can. */
export function problemOf(expression: string): string | undefined {
  if (expression.length > expressionLengthMax) return `longer than ${expressionLengthMax} characters`
  try {
    return RE2JS.compile(expression).programSize() > programSizeMax ? 'expression too large' : undefined
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return error.getDescription()
    throw error
  }
}

async function matching(pattern: RE2JS, names: readonly string[], judge: Judge): Promise<string[]> {
  const found: string[] = []
  for (let at = 0; at < names.length; at += sliceLength) {
    if (at > 0) await setImmediate()
    for (const name of names.slice(at, at + sliceLength)) {
      if (pattern.matches(name) && judge.sees(topic.describe, name)) found.push(name)
    }
  }
  return found
}

export function alternationOf(names: readonly string[]): TopicAlternation {
  if (names.length === 0) return { expression: matchesNothing, names: [] }
  const expression = names.map(quote).join('|')
  if (Buffer.byteLength(expression) <= stringBytesMax) return { expression, names: [] }
  return { expression: matchesNothing, names }
}

/** Whatever is no letter, digit, underscore or dash is taken literally. */
function quote(name: string): string {
  return name.replace(/[^\p{L}\p{N}_-]/gu, '\\$&')
}

export function isSameTopics(one: readonly string[] | undefined, other: readonly string[]): boolean {
  if (one === other) return true
  return one !== undefined && one.length === other.length && one.every((name, at) => name === other[at])
}
