import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Policy, Verdict } from '../acl/policy/policy.ts'
import { UsageError, VkitmError } from '../errors.ts'
import { type Command, ExitCode, parseOptions, print } from './command.ts'
import { type Expectation, type Expectations, readExpectations } from './policy-expectations.ts'
import { loadForCommand } from './policy-explain.ts'
import { answer, subjectOf } from './policy-question.ts'
import { readSources, type SourceValues, sourceHelp, sourceOptions, type WholePolicy } from './policy-sources.ts'

export const policyTest: Command = {
  usage: 'FILE… [--config FILE | --model FILE --rules FILE] [--json]',
  summary: 'holds a policy against files of expected decisions',
  help: `  FILE               names model, rules and what to expect; policies/policy.test.yaml is one
${sourceHelp}
                     what is given here is used instead of what the files name`,
  async run(args) {
    const { values, positionals } = parseOptions({ args: [...args], options: sourceOptions, allowPositionals: true })
    if (positionals.length === 0) throw new UsageError('name a file of expected decisions')
    const results = await Promise.all(positionals.map(file => testFile(file, values)))
    print(values.json ? JSON.stringify(results, null, 2) : results.map(asText).join('\n'))
    return results.every(({ failures }) => failures.length === 0) ? ExitCode.fine : ExitCode.failed
  },
}

interface Failure {
  readonly principal: string
  readonly question: string
  readonly expected: 'allow' | 'deny'
  readonly verdict: Verdict
}

interface FileResult {
  readonly file: string
  readonly expectations: number
  readonly failures: readonly Failure[]
}

async function testFile(file: string, values: SourceValues): Promise<FileResult> {
  const expectations = readExpectations(await readText(file), file)
  const policy = await policyFor(file, expectations, values)
  const failures = expectations.expected.flatMap(expectation => failureOf(policy, expectation))
  return { file, expectations: expectations.expected.length, failures }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new VkitmError('VKITM_POLICY', `${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
}

async function policyFor(
  file: string,
  { model, rules, superUsers }: Expectations,
  values: SourceValues,
): Promise<Policy> {
  // A question that cannot be answered is a denial, and shown as one.
  const load = (sources: WholePolicy): Promise<Policy> => loadForCommand(sources, () => {})
  if (values.config !== undefined) return load(await readSources(values))
  const beside = (path: string): string => resolve(dirname(file), path)
  const sources = await readSources({
    ...values,
    model: values.model ?? (model === undefined ? undefined : beside(model)),
    rules: values.rules ?? rules.map(beside),
  })
  return load({ ...sources, superUsers: values['super-user'] ?? superUsers })
}

function failureOf(policy: Policy, { subject, allowed, text, question }: Expectation): Failure[] {
  const verdict = answer(policy, subjectOf(subject), question)
  // "denied" must be the policy's word, not that of something that broke.
  if (verdict.allowed === allowed && verdict.why !== 'error') return []
  return [{ principal: subject.principal, question: text, expected: allowed ? 'allow' : 'deny', verdict }]
}

function asText({ file, expectations, failures }: FileResult): string {
  if (failures.length === 0) return `${file}: ${expectations} as expected`
  return [`${file}: ${failures.length} of ${expectations} are not as expected`, ...failures.map(asLines)].join('\n')
}

function asLines({ principal, question, expected, verdict }: Failure): string {
  const { rule } = verdict
  const by = rule === undefined ? verdict.why : `${rule.file}:${rule.line}: ${rule.text}`
  return `  ${principal} ${question}\n    - ${expected}\n    + ${verdict.allowed ? 'allow' : 'deny'} (${by})`
}
