import { type ParseArgsConfig, parseArgs } from 'node:util'
import { UsageError } from '../errors.ts'

export const ExitCode = { fine: 0, failed: 1, misuse: 2 } as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** One command of the program: a file each, listed in main.ts. */
export interface Command {
  /** Arguments after the command's own words. */
  readonly usage: string
  /** One line for the list. */
  readonly summary: string
  /** More for the command's own help: options, one a line. */
  readonly help?: string
  run(args: readonly string[]): Promise<ExitCode>
}

/** `util.parseArgs`, whose complaints are about the user's arguments. */
export function parseOptions<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

export const print = (text: string): boolean => process.stdout.write(`${text}\n`)
export const complain = (text: string): boolean => process.stderr.write(`${text}\n`)
