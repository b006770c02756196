/**
 * Which topics a regular expression stands for: of those that are there, the ones whose whole name it matches and that
 * the client may describe.
 *
 * What a broker gets are the names. Where it must have an expression (streams groups), it gets an alternation of them: a
 * string of the protocol holds 32,767 bytes; where the names do not fit, they are subscribed to as names.
 */
import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { RE2JS } from 're2js'
import type { Client } from '../pipeline/exchange.ts'
import type { TopicCatalog } from '../topology/topic-catalog.ts'
import { CompiledExpressions } from './compiled-expressions.ts'
import type { Judge } from './judge.ts'
import { topic } from './rights.ts'

export interface TopicAlternation {
  /** An expression for exactly these topics. */
  readonly expression: string
  /** Names beside it. */
  readonly names: readonly string[]
}

/** What an expression stands for. */
export interface ResolvedTopics {
  readonly names: readonly string[]
  /** The same for the same names, and for no others. */
  readonly digest: string
}

export interface TopicExpressionsOptions {
  readonly topics: Pick<TopicCatalog, 'everyName'>
  /** Asked before every name: makes way for others where this turn has lasted. */
  readonly pause: () => Promise<void> | undefined
  /** What the resolutions that are kept may take, roughly. */
  readonly resolvedBytesMax?: number
}

/** What a name in a list takes, and what a resolution takes beside its names. */
const referenceBytes = 8
const resolutionBytes = 400
const stringBytesMax = 32_767
/** No topic can be called that, so it stands for none. An empty expression would say "none is subscribed to". */
export const matchesNothing = '/'

export class TopicExpressions {
  readonly #topics: Pick<TopicCatalog, 'everyName'>
  readonly #pause: () => Promise<void> | undefined
  readonly #compiled = new CompiledExpressions()
  /** The last matching of each principal that has one. */
  readonly #lines = new Map<string, Promise<void>>()
  readonly #resolved: LRUCache<string, ResolvedTopics>
  #names: readonly string[] | undefined
  #generation: number | undefined

  constructor({ topics, pause, resolvedBytesMax = 50_000_000 }: TopicExpressionsOptions) {
    this.#topics = topics
    this.#pause = pause
    this.#resolved = new LRUCache({
      maxSize: resolvedBytesMax,
      sizeCalculation: ({ names }, key) => names.length * referenceBytes + key.length + resolutionBytes,
    })
  }

  /** Why an expression cannot be taken, in the words of RE2/J; undefined where it can. */
  problemOf(expression: string): string | undefined {
    const compiled = this.#compiled.of(expression)
    return 'problem' in compiled ? compiled.problem : undefined
  }

  /**
   * The topics of an expression that `problemOf` finds nothing wrong with. One after the other for each principal: who
   * asks for much waits for himself, and what many members ask for together is worked out once.
   */
  resolve(expression: string, judge: Judge, client: Client, clientId: string): Promise<ResolvedTopics> {
    const before = this.#lines.get(client.principal) ?? Promise.resolve()
    const resolved = before.then(() => this.#resolve(expression, judge, client, clientId))
    const done: Promise<void> = resolved
      .catch(() => undefined)
      .then(() => {
        if (this.#lines.get(client.principal) === done) this.#lines.delete(client.principal)
      })
    this.#lines.set(client.principal, done)
    return resolved
  }

  async #resolve(expression: string, judge: Judge, client: Client, clientId: string): Promise<ResolvedTopics> {
    const names = await this.#topics.everyName()
    this.#forgetOutdated(names, judge.policy.generation)
    const key = JSON.stringify([expression, ...subjectOf(judge, client, clientId)])
    const known = this.#resolved.get(key)
    if (known !== undefined) return known
    const compiled = this.#compiled.of(expression)
    if ('problem' in compiled) throw new RangeError(compiled.problem)
    const resolved = await this.#matching(compiled.pattern, names, judge)
    // Meanwhile there may be newer names or another policy.
    if (this.#names === names && this.#generation === judge.policy.generation) this.#resolved.set(key, resolved)
    return resolved
  }

  /** What does not match is not judged: it would count as a decision that nobody asked for. */
  async #matching(pattern: RE2JS, names: readonly string[], judge: Judge): Promise<ResolvedTopics> {
    const found: string[] = []
    const hash = createHash('sha256')
    for (const name of names) {
      const others = this.#pause()
      if (others !== undefined) await others
      if (!pattern.matches(name) || !judge.sees(topic.describe, name)) continue
      found.push(name)
      // No topic can be called that, so lists that differ do not look alike.
      hash.update(`${name}/`)
    }
    return Object.freeze({ names: Object.freeze(found), digest: hash.digest('base64') })
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
