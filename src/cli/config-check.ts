import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load-config.ts'
import { ConfigError, type Problem, UsageError } from '../errors.ts'
import { type Command, ExitCode, parseOptions, print } from './command.ts'

interface Findings {
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  readonly config?: Config
}

export const configCheck: Command = {
  usage: 'FILE [--json]',
  summary: 'tells every problem of a configuration at once',
  async run(args) {
    const { values, positionals } = parseOptions({
      args: [...args],
      options: { json: { type: 'boolean' } },
      allowPositionals: true,
    })
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) throw new UsageError('name one configuration file')
    const findings = await examine(file)
    print(values.json ? asJson(file, findings) : asText(file, findings))
    return findings.problems.length === 0 ? ExitCode.fine : ExitCode.failed
  },
}

async function examine(file: string): Promise<Findings> {
  try {
    const config = await loadConfig(file)
    return { problems: [], warnings: config.warnings, config }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { problems: error.problems, warnings: [] }
  }
}

function asJson(file: string, { problems, warnings }: Findings): string {
  return JSON.stringify({ file, ok: problems.length === 0, problems, warnings }, null, 2)
}

function asText(file: string, { problems, warnings, config }: Findings): string {
  const lines = [...problems, ...warnings.map(({ path, message }) => ({ path, message: `warning: ${message}` }))]
  const listed = lines.map(problem => `  ${describeProblem(problem)}`)
  return [config ? `${file} is fine: ${summary(config)}` : describeCount(file, problems), ...listed].join('\n')
}

export const describeCount = (file: string, problems: readonly Problem[]): string =>
  `${file}: ${plural(problems.length, 'problem')}`
export const describeProblem = ({ path, message }: Problem): string => `${path}: ${message}`

function summary({ clusters }: Config): string {
  const listeners = clusters.reduce((sum, cluster) => sum + cluster.listeners.length, 0)
  return `${plural(clusters.length, 'cluster')}, ${plural(listeners, 'listener')}`
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
