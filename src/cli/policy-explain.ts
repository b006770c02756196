import { loadPolicy, readRules, runAtOnce } from '../acl/policy/compile-policy.ts'
import { type Explanation, explain, type MatchingRule } from '../acl/policy/explain.ts'
import type { Policy, Subject, Verdict } from '../acl/policy/policy.ts'
import { recogniseModel } from '../acl/policy/shipped-models.ts'
import { UsageError } from '../errors.ts'
import { type Command, ExitCode, parseOptions, print } from './command.ts'
import { answer, readQuestion, subjectOf, type WrittenQuestion } from './policy-question.ts'
import { readSources, sourceHelp, sourceOptions, type WholePolicy } from './policy-sources.ts'

export const policyExplain: Command = {
  usage: '--config FILE | --model FILE --rules FILE PRINCIPAL API OPERATION TYPE NAME [--host ADDRESS] [--json]',
  summary: 'tells which rule decides a question, and what else matches; exits with 1 where it is denied',
  help: `  PRINCIPAL          User:alice
  API …              Fetch read topic orders; TYPE NAME may be "any topic" for "on some topic"
  --host ADDRESS     the client's address; also --listener and --client-id, for models of your own
${sourceHelp}`,
  async run(args) {
    const { values, positionals } = parseOptions({
      args: [...args],
      options: {
        ...sourceOptions,
        host: { type: 'string' },
        listener: { type: 'string' },
        'client-id': { type: 'string' },
      },
      allowPositionals: true,
    })
    const [principal, ...words] = positionals
    if (principal === undefined || words.length < 4)
      throw new UsageError('write who asks what: User:alice Fetch read topic orders')
    const subject = subjectOf({ ...values, clientId: values['client-id'], principal })
    const explanation = await explainSources(await readSources(values), {
      subject,
      asked: asUsage(() => readQuestion(words.join(' '))),
    })
    print(values.json ? JSON.stringify(explanation, null, 2) : explanationText(explanation))
    return explanation.verdict.allowed ? ExitCode.fine : ExitCode.failed
  },
}

/** What the user wrote is misuse, not a failure. */
function asUsage<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

export interface Asked {
  readonly subject: Subject
  readonly asked: WrittenQuestion
}

export interface Answer extends Omit<Explanation, 'members' | 'matching'> {
  readonly members?: readonly string[]
  readonly matching?: readonly MatchingRule[]
  readonly error?: string
}

export async function explainSources(sources: WholePolicy, { subject, asked }: Asked): Promise<Answer> {
  const errors: unknown[] = []
  const policy = await loadForCommand(sources, error => errors.push(error))
  const model = recogniseModel(sources.model.text)
  // What matches beside the deciding rule, the index can tell and casbin cannot.
  if (model === undefined || asked.kind === 'any') return withError(answer(policy, subject, asked), errors)
  const rules = runAtOnce(readRules(sources.rules, model))
  const verdict = policy.decide(subject, asked.question)
  if (verdict.why === 'error') return withError(verdict, errors)
  return explain({ policy, rules, subject, question: asked.question })
}

function withError(verdict: Verdict, [error]: readonly unknown[]): Answer {
  return error === undefined ? { verdict } : { verdict, error: error instanceof Error ? error.message : String(error) }
}

export function loadForCommand(sources: WholePolicy, onError: (error: unknown) => void): Promise<Policy> {
  const noNames = (): readonly string[] => []
  return loadPolicy({
    ...sources,
    onError,
    generation: 1,
    knownNames: noNames,
    pause: () => undefined,
  })
}

export function explanationText({ verdict, members, matching = [], error }: Answer): string {
  const others = matching.filter(({ file, line }) => file !== verdict.rule?.file || line !== verdict.rule.line)
  return [
    `${verdict.allowed ? 'allowed' : 'denied'} ${reason(verdict, error)}`,
    ...(others.length === 0 ? [] : ['also matching:', ...others.map(other => `  ${placed(other)}`)]),
    ...(members === undefined ? [] : [`as ${members.join(', ')}`]),
  ].join('\n')
}

const placed = ({ file, line, text }: { file: string; line: number; text: string }): string =>
  `${file}:${line}: ${text}`

function reason({ rule, why }: Verdict, error: string | undefined): string {
  if (rule !== undefined) return `by ${placed(rule)}`
  if (why === 'superUser') return 'to a super user, whatever the rules say'
  if (why === 'error') return `because it cannot be decided: ${error ?? 'unknown'}`
  return why === 'default' ? 'because no rule allows it' : 'by the model'
}
