/**
 * Regular expressions of clients, compiled, or what is wrong with them. RE2, as Kafka takes it for KIP-848, so that no
 * expression can take exponential time; what is left is bounded by the size of the compiled one.
 */
import { LRUCache } from 'lru-cache'
import { RE2JS, RE2JSSyntaxException } from 're2js'
import { expandedSize } from './expression-size.ts'

export type CompiledExpression = { readonly pattern: RE2JS } | { readonly problem: string }

const lengthMax = 1024
/** Instructions: matching takes at most so many steps for each letter. As many as letters, with room for `.{0,249}`. */
const programSizeMax = 1200
/** Compiling one of this size takes some milliseconds. What begins alike is compiled once, so it may be more. */
const expandedSizeMax = 2 * programSizeMax
/** A few, since each remembers up to 8 MiB of what it has matched; those of a request are among them. */
const keptMax = 20

export class CompiledExpressions {
  readonly #kept = new LRUCache<string, CompiledExpression>({ max: keptMax })

  of(expression: string): CompiledExpression {
    if (expression.length > lengthMax) return { problem: `longer than ${lengthMax} characters` }
    const known = this.#kept.get(expression)
    if (known !== undefined) return known
    const compiled = compile(expression)
    this.#kept.set(expression, compiled)
    return compiled
  }
}

const tooLarge = { problem: 'expression too large' } as const

function compile(expression: string): CompiledExpression {
  if (expandedSize(expression) > expandedSizeMax) return tooLarge
  try {
    const pattern = RE2JS.compile(expression)
    return pattern.programSize() > programSizeMax ? tooLarge : { pattern }
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return { problem: error.getDescription() }
    throw error
  }
}
