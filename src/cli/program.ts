/** Finds the command, runs it, and gives the exit code: 0 fine, 1 the thing failed, 2 misuse. */
import { ConfigError, UsageError, VkitmError } from '../errors.ts'
import { certsInit } from './certs/init.ts'
import { certsIssue } from './certs/issue.ts'
import { certsRenew } from './certs/renew.ts'
import { certsRevoke } from './certs/revoke.ts'
import { certsShow } from './certs/show.ts'
import { type Command, complain, ExitCode, print } from './command.ts'
import { configCheck, describeProblem } from './config-check.ts'
import { demo } from './demo/demo.ts'
import { policyCheck } from './policy-check.ts'
import { policyExplain } from './policy-explain.ts'
import { policyImport } from './policy-import.ts'
import { policyLearn } from './policy-learn.ts'
import { policyTest } from './policy-test.ts'
import { start } from './start.ts'
import { usersAdd, usersList, usersRemove } from './users.ts'
import { version } from './version.ts'

/** By their words, in the order of the help. */
const commands = new Map<string, Command>([
  ['start', start],
  ['demo', demo],
  ['config check', configCheck],
  ['certs init', certsInit],
  ['certs issue', certsIssue],
  ['certs renew', certsRenew],
  ['certs show', certsShow],
  ['certs revoke', certsRevoke],
  ['policy check', policyCheck],
  ['policy explain', policyExplain],
  ['policy test', policyTest],
  ['policy import', policyImport],
  ['policy learn', policyLearn],
  ['users add', usersAdd],
  ['users remove', usersRemove],
  ['users list', usersList],
])

export function runCommand(args: readonly string[]): Promise<ExitCode> {
  return dispatch(args).catch(reportFailure)
}

async function dispatch(args: readonly string[]): Promise<ExitCode> {
  const [first, second] = args
  if (first === undefined) throw new UsageError('name a command')
  if (first === '--version' || first === '-V') return say(version())
  if (first === '--help' || first === '-h' || first === 'help') return say(help())
  const words = commands.has(first) ? [first] : [first, second]
  const name = words.join(' ')
  const command = commands.get(name)
  if (command === undefined) throw new UsageError(unknownCommand(first))
  const rest = args.slice(words.length)
  if (rest.includes('--help') || rest.includes('-h')) return say(commandHelp(name, command))
  return command.run(rest)
}

function say(text: string): ExitCode {
  print(text)
  return ExitCode.fine
}

function help(): string {
  const names = Array.from(commands, ([name, { usage, summary }]) => ({ call: `${name} ${usage}`, summary }))
  const width = Math.max(...names.map(({ call }) => call.length))
  const lines = names.map(({ call, summary }) => `  ${call.padEnd(width)}  ${summary}`)
  return `vkitm: a security gateway for Apache Kafka

usage: vkitm COMMAND

${lines.join('\n')}
  ${'--help, --version'.padEnd(width)}  also: COMMAND --help`
}

function commandHelp(name: string, { usage, summary, help: more }: Command): string {
  return `usage: vkitm ${name} ${usage}\n\n${summary}${more ? `\n\n${more}` : ''}`
}

function unknownCommand(first: string): string {
  const beginning = [...commands.keys()].filter(name => name.startsWith(`${first} `))
  const known = beginning.length > 0 ? beginning : [...commands.keys()]
  return `${beginning.length > 0 ? `${first} needs one word more` : `"${first}" is not a command`}; known: ${known.join(', ')}`
}

function reportFailure(error: unknown): ExitCode {
  if (error instanceof UsageError) {
    complain(`vkitm: ${error.message}\nvkitm --help tells more`)
    return ExitCode.misuse
  }
  if (error instanceof ConfigError)
    complain(error.problems.map(problem => `vkitm: ${describeProblem(problem)}`).join('\n'))
  else if (error instanceof VkitmError) complain(`vkitm: ${error.message}`)
  else complain(`vkitm: ${error instanceof Error ? error.stack : String(error)}`)
  return ExitCode.failed
}
