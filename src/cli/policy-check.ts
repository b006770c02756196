import { type LintReport, lintPolicy } from '../acl/policy/lint-policy.ts'
import type { Finding } from '../acl/policy/rules-file.ts'
import { UsageError } from '../errors.ts'
import { type Command, ExitCode, parseOptions, print } from './command.ts'
import { readAllSources, sourceHelp, sourceOptions, type WholePolicy } from './policy-sources.ts'

export const policyCheck: Command = {
  usage: '--config FILE | --model FILE --rules FILE [--strict] [--json]',
  summary: 'tells every problem of a policy at once, and what is doubtful about it',
  help: `${sourceHelp}\n  --strict           warnings fail too`,
  async run(args) {
    const { values, positionals } = parseOptions({
      args: [...args],
      options: { ...sourceOptions, strict: { type: 'boolean' } },
      allowPositionals: true,
    })
    if (positionals.length > 0)
      throw new UsageError(`"${positionals[0]}" has no meaning here: write --rules ${positionals[0]}`)
    const reports = await Promise.all((await readAllSources(values)).map(lint))
    print(values.json ? asJson(reports) : reports.map(asText).join('\n'))
    const bad = reports.some(({ findings }) => findings.some(({ severity }) => severity === 'error' || values.strict))
    return bad ? ExitCode.failed : ExitCode.fine
  },
}

interface Report extends LintReport {
  readonly cluster?: string
}

async function lint(policy: WholePolicy): Promise<Report> {
  const report = await lintPolicy(policy)
  return policy.cluster === undefined ? report : { cluster: policy.cluster, ...report }
}

const isError = ({ severity }: Finding): boolean => severity === 'error'

/** One object for one policy, a list for the clusters of a configuration. */
function asJson(reports: readonly Report[]): string {
  const described = reports.map(({ cluster, findings, model, rules, roles }) => ({
    ...(cluster === undefined ? {} : { cluster }),
    ok: !findings.some(isError),
    model,
    rules,
    roles,
    findings,
  }))
  const isOne = reports.length === 1 && reports[0]!.cluster === undefined
  return JSON.stringify(isOne ? described[0] : described, null, 2)
}

function asText(report: Report): string {
  const { findings, cluster } = report
  const errors = findings.filter(isError).length
  const counts = `${errors} error${errors === 1 ? '' : 's'}, ${findings.length - errors} warning${findings.length - errors === 1 ? '' : 's'}`
  const first = errors > 0 ? `refused: ${counts}` : `fine: ${summary(report)}; ${counts}`
  return [cluster === undefined ? first : `${cluster}: ${first}`, ...findings.map(asLine)].join('\n')
}

function asLine({ severity, file, line, message }: Finding): string {
  const place = line === 0 ? file : `${file}:${line}`
  return `  ${place}: ${severity === 'warning' ? 'warning: ' : ''}${message}`
}

function summary({ model, rules, roles }: LintReport): string {
  if (model === 'own') return 'a model of your own, which casbin runs'
  return `${rules} rules and ${roles} roles${model === 'withHost' ? ', with hosts' : ''}`
}
