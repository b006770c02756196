/**
 * Which deny leaves nothing of an allow: one of the same who or of everybody, of the same name as it is written or of a
 * prefix of all it matches. Found as names are, not by trying pairs: a policy may have 100,000 of each.
 */
import { apiKeyOf } from '../../protocol/api-key.ts'
import { Holding } from './holding.ts'
import { ANY_HOST } from './host-pattern.ts'
import { type NamePattern, readNamePattern } from './name-pattern.ts'
import type { ResourceType } from './policy.ts'
import type { Rule } from './rule.ts'
import { ANY_OPERATION, EVERYBODY } from './vocabulary.ts'

/** Of rules with one name: the last for each operation or API. */
type ByAct = Map<string, Rule>

/** What one member is denied of one type. */
class Denied {
  readonly #named = new Map<string, ByAct>()
  readonly #prefixed = new Map<string, number>()
  readonly #acts: ByAct[] = []
  /** Prefixes by their number in `#acts`. */
  readonly #prefixes = new Holding()

  add(rule: Rule): void {
    const byAct = this.#named.get(rule.name)
    if (byAct !== undefined) {
      byAct.set(rule.act, rule)
      return
    }
    const fresh: ByAct = new Map([[rule.act, rule]])
    this.#named.set(rule.name, fresh)
    const pattern = readNamePattern(rule.name)
    if (pattern.kind !== 'prefix') return
    const known = this.#prefixed.get(pattern.prefix)
    if (known !== undefined) {
      // Written in two ways: `a*` and `~a.*`.
      const acts = this.#acts[known]!
      this.#named.set(rule.name, acts)
      acts.set(rule.act, rule)
      return
    }
    this.#prefixed.set(pattern.prefix, this.#acts.length)
    this.#prefixes.add(pattern, this.#acts.length)
    this.#acts.push(fresh)
  }

  /** Once all are there. */
  seal(): void {
    this.#prefixes.seal()
  }

  over({ name, act }: Rule): Rule | undefined {
    let found = denyIn(this.#named.get(name), act)
    if (found !== undefined) return found
    // The longest come first; the shortest says most.
    this.#prefixes.match(beginningOf(readNamePattern(name)), ([number]) => {
      found = denyIn(this.#acts[number!], act) ?? found
    })
    return found
  }
}

/** Denying read leaves the describe that allowing read implies; nothing is left of * or of an API. */
function denyIn(byAct: ByAct | undefined, act: string): Rule | undefined {
  const same = apiKeyOf(act) !== undefined || act === ANY_OPERATION ? byAct?.get(act) : undefined
  return same ?? byAct?.get(ANY_OPERATION)
}

/** Of all that the pattern matches. */
function beginningOf(pattern: NamePattern): string {
  return pattern.kind === 'exact' ? pattern.name : pattern.kind === 'prefix' ? pattern.prefix : pattern.literal
}

export class WholeDenies {
  readonly #byWho = new Map<string, Map<ResourceType, Denied>>()

  constructor(rules: readonly Rule[]) {
    for (const rule of rules) if (rule.effect === 'deny' && rule.host === ANY_HOST) this.#deniedFor(rule).add(rule)
    for (const byType of this.#byWho.values()) for (const denied of byType.values()) denied.seal()
  }

  over(allow: Rule): Rule | undefined {
    const { who, type } = allow
    return (
      this.#byWho.get(who)?.get(type)?.over(allow) ??
      (who === EVERYBODY ? undefined : this.#byWho.get(EVERYBODY)?.get(type)?.over(allow))
    )
  }

  #deniedFor({ who, type }: Rule): Denied {
    const byType = this.#byWho.get(who) ?? new Map<ResourceType, Denied>()
    const denied = byType.get(type) ?? new Denied()
    this.#byWho.set(who, byType)
    byType.set(type, denied)
    return denied
  }
}
