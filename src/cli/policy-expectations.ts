/**
 * A file of expected decisions:
 *
 *     model: model.conf                 # relative to the file, as are the rules
 *     rules: policy.csv                 # or a list
 *     superUsers: [User:admin]
 *     expect:
 *       - principal: User:alice         # host, listener, clientId where the model looks at them
 *         allow: [Fetch read topic orders, InitProducerId write any topic]
 *         deny: [Produce write topic orders]
 */
import { parseSource } from '../config/source.ts'
import { ConfigError, type Problem } from '../errors.ts'
import { readQuestion, type WrittenQuestion, type WrittenSubject } from './policy-question.ts'

export interface Expectation {
  readonly subject: WrittenSubject
  readonly allowed: boolean
  readonly text: string
  readonly question: WrittenQuestion
}

export interface Expectations {
  readonly model: string | undefined
  readonly rules: readonly string[]
  readonly superUsers: readonly string[]
  readonly expected: readonly Expectation[]
}

/** Throws a ConfigError with every problem. */
export function readExpectations(text: string, file: string): Expectations {
  const root = asMapping(parseSource(text, file))
  const problems: Problem[] = []
  const problem = (path: string, message: string): undefined =>
    void problems.push({ path: `${file}: ${path}`, message })
  const known = new Set(['model', 'rules', 'superUsers', 'expect'])
  for (const key of Object.keys(root)) if (!known.has(key)) problem(key, `is unknown: write ${[...known].join(', ')}`)
  const cases = Array.isArray(root.expect) ? root.expect : []
  const expected = cases.flatMap((entry, place) => readCase(asMapping(entry), `expect[${place}]`, problem))
  if (expected.length === 0 && problems.length === 0)
    problem('expect', 'holds no expectation: a test that cannot fail proves nothing')
  if (problems.length > 0) throw new ConfigError(problems)
  const { model } = root
  return {
    model: typeof model === 'string' ? model : undefined,
    rules: asTexts(root.rules),
    superUsers: asTexts(root.superUsers),
    expected,
  }
}

type Report = (path: string, message: string) => undefined

function readCase(entry: Readonly<Record<string, unknown>>, path: string, problem: Report): Expectation[] {
  const { principal, host, listener, clientId, allow, deny, ...unknown } = entry
  for (const key of Object.keys(unknown))
    problem(`${path}.${key}`, 'is unknown: write principal, host, listener, clientId, allow, deny')
  if (typeof principal !== 'string') {
    problem(`${path}.principal`, 'is required: User:alice')
    return []
  }
  const subject = { principal, host: asText(host), listener: asText(listener), clientId: asText(clientId) }
  const read = (value: unknown, key: string, allowed: boolean): Expectation[] =>
    asTexts(value).flatMap((text, place) => {
      try {
        return [{ subject, allowed, text, question: readQuestion(text) }]
      } catch (cause) {
        problem(`${path}.${key}[${place}]`, cause instanceof Error ? cause.message : String(cause))
        return []
      }
    })
  return [...read(allow, 'allow', true), ...read(deny, 'deny', false)]
}

const asMapping = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
const asText = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const asTexts = (value: unknown): string[] =>
  (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]).map(String)
