/**
 * What one member (a user, a role, everybody) may and may not do to one type of resource: its rules, found by the name that is
 * asked about. Exact names are a map. A prefix is found by halving a sorted list: the greatest entry that is not above the
 * name is the longest prefix of it, or an entry from which a chain of ever shorter prefixes leads to it.
 */
import { compileExpression, isTooLongToMatch, type NamePattern } from './name-pattern.ts'

/**
 * How rules were found: by a pattern that is the name, or that matches it, or that may, as far as anybody can tell of a name
 * that is too long for expressions.
 */
export type Found = 'named' | 'matched' | 'doubtful'

/** Numbers of rules, ascending: a rule's number is its place in the files. */
export type RuleNumbers = readonly number[]

interface Expression {
  readonly matches: (name: string) => boolean
  readonly rules: number[]
}

interface Beginning {
  readonly text: string
  /** The place of the longest other beginning that begins this one; -1 for none. */
  parent: number
  readonly rules: number[]
  /** Those whose matches all begin like this. */
  readonly expressions: Map<string, Expression>
}

export class Holding {
  readonly #exact = new Map<string, number[]>()
  readonly #beginnings = new Map<string, Beginning>()
  /** Sorted by text; made when first asked. */
  #sorted: Beginning[] | undefined

  add(pattern: NamePattern, rule: number): void {
    if (pattern.kind === 'exact') {
      const rules = this.#exact.get(pattern.name)
      if (rules === undefined) this.#exact.set(pattern.name, [rule])
      else rules.push(rule)
    } else if (pattern.kind === 'prefix') this.#beginning(pattern.prefix).rules.push(rule)
    else this.#addExpression(pattern, rule)
  }

  /** Once every rule is there. */
  seal(): void {
    const sorted = [...this.#beginnings.values()].sort((a, b) => (a.text < b.text ? -1 : 1))
    const open: number[] = []
    sorted.forEach((beginning, place) => {
      while (open.length > 0 && !beginning.text.startsWith(sorted[open.at(-1)!]!.text)) open.pop()
      beginning.parent = open.at(-1) ?? -1
      open.push(place)
    })
    this.#sorted = sorted
  }

  /** Calls back with the rules of every pattern that matches, expressions last. */
  match(name: string, found: (rules: RuleNumbers, how: Found) => void): void {
    const exact = this.#exact.get(name)
    if (exact !== undefined) found(exact, 'named')
    const longest = this.#longestBeginning(name)
    const isTooLong = isTooLongToMatch(name)
    for (let at = longest; at !== -1; at = this.#sorted![at]!.parent) found(this.#sorted![at]!.rules, 'matched')
    for (let at = longest; at !== -1; at = this.#sorted![at]!.parent)
      for (const { matches, rules } of this.#sorted![at]!.expressions.values())
        if (isTooLong) found(rules, 'doubtful')
        else if (matches(name)) found(rules, 'matched')
  }

  /** Every pattern with its rules, for questions about no name in particular. */
  *patterns(): Generator<{ readonly pattern: NamePattern; readonly rules: RuleNumbers }> {
    for (const [name, rules] of this.#exact) yield { pattern: { kind: 'exact', name }, rules }
    for (const { text, rules, expressions } of this.#beginnings.values()) {
      if (rules.length > 0) yield { pattern: { kind: 'prefix', prefix: text }, rules }
      for (const [source, { rules }] of expressions)
        yield { pattern: { kind: 'expression', expression: source, literal: text }, rules }
    }
  }

  #beginning(text: string): Beginning {
    let beginning = this.#beginnings.get(text)
    if (beginning === undefined) {
      beginning = { text, parent: -1, rules: [], expressions: new Map() }
      this.#beginnings.set(text, beginning)
    }
    return beginning
  }

  #addExpression({ expression, literal }: NamePattern & { kind: 'expression' }, rule: number): void {
    const { expressions } = this.#beginning(literal)
    const known = expressions.get(expression)
    if (known !== undefined) known.rules.push(rule)
    else expressions.set(expression, { matches: compileExpression(expression), rules: [rule] })
  }

  #longestBeginning(name: string): number {
    const sorted = this.#sorted!
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sorted[middle]!.text <= name) low = middle + 1
      else high = middle
    }
    let at = low - 1
    while (at !== -1 && !name.startsWith(sorted[at]!.text)) at = sorted[at]!.parent
    return at
  }
}
