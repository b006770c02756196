/**
 * What a policy remembers: by who asks, what they hold and what was decided for them lately. It dies with its policy, so a new
 * generation starts empty.
 */
import type { Verdict } from './policy.ts'

/** Verdicts kept, over everybody. When there are more all are forgotten, which costs each question one look into the index. */
const VERDICTS_MAX = 200_000
const ACQUAINTANCES_MAX = 20_000
/** Longer names are decided anew each time, so that names of 32 KB cannot fill the memory. */
const NAME_CHARS_MAX = 256

export interface Acquaintance<Held> {
  readonly held: Held
  verdict(kind: number, name: string): Verdict | undefined
  remember(kind: number, name: string, verdict: Verdict): void
}

export class VerdictMemory<Held> {
  readonly #hold: (principal: string) => Held
  #acquaintances = new Map<string, Acquaintance<Held>>()
  #kept = 0

  constructor(hold: (principal: string) => Held) {
    this.#hold = hold
  }

  /** `host`: the empty string where verdicts do not depend on it. */
  of(principal: string, host: string): Acquaintance<Held> {
    const key = host === '' ? principal : `${host} ${principal}`
    const known = this.#acquaintances.get(key)
    if (known !== undefined) return known
    if (this.#acquaintances.size >= ACQUAINTANCES_MAX) this.#forget()
    const met = this.#meet(principal)
    this.#acquaintances.set(key, met)
    return met
  }

  #meet(principal: string): Acquaintance<Held> {
    const byKind = new Map<number, Map<string, Verdict>>()
    return {
      held: this.#hold(principal),
      verdict: (kind, name) => byKind.get(kind)?.get(name),
      remember: (kind, name, verdict) => {
        if (name.length > NAME_CHARS_MAX) return
        if (++this.#kept > VERDICTS_MAX) this.#forget()
        const byName = byKind.get(kind)
        if (byName === undefined) byKind.set(kind, new Map([[name, verdict]]))
        else byName.set(name, verdict)
      },
    }
  }

  #forget(): void {
    this.#acquaintances = new Map()
    this.#kept = 0
  }
}
