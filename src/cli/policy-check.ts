import { type LintReport, lintPolicy } from '../acl/policy/lint-policy.ts'
import type { Finding } from '../acl/policy/rules-file.ts'
import { UsageError } from '../errors.ts'
import { type Command, ExitCode, parseOptions, print } from './command.ts'
import { readSources, sourceHelp, sourceOptions } from './policy-sources.ts'

export const policyCheck: Command = {
  usage: '--model FILE --rules FILE [--strict] [--json]',
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
    const report = await lintPolicy(await readSources(values))
    print(values.json ? asJson(report) : asText(report))
    const bad = report.findings.some(({ severity }) => severity === 'error' || values.strict)
    return bad ? ExitCode.failed : ExitCode.fine
  },
}

const isError = ({ severity }: Finding): boolean => severity === 'error'

function asJson({ findings, model, rules, roles }: LintReport): string {
  return JSON.stringify({ ok: !findings.some(isError), model, rules, roles, findings }, null, 2)
}

function asText(report: LintReport): string {
  const { findings } = report
  const errors = findings.filter(isError).length
  const counts = `${errors} error${errors === 1 ? '' : 's'}, ${findings.length - errors} warning${findings.length - errors === 1 ? '' : 's'}`
  const first = errors > 0 ? `refused: ${counts}` : `fine: ${summary(report)}; ${counts}`
  return [first, ...findings.map(asLine)].join('\n')
}

function asLine({ severity, file, line, message }: Finding): string {
  const place = line === 0 ? file : `${file}:${line}`
  return `  ${place}: ${severity === 'warning' ? 'warning: ' : ''}${message}`
}

function summary({ model, rules, roles }: LintReport): string {
  if (model === 'own') return 'a model of your own, which casbin runs'
  return `${rules} rules and ${roles} roles${model === 'withHost' ? ', with hosts' : ''}`
}
