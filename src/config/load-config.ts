/** A file becomes a frozen configuration, or one error with every problem in it. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ConfigError, type Problem } from '../errors.ts'
import type { Config } from './config.ts'
import { deepFreeze } from './deep-freeze.ts'
import { FileReads, unreadable } from './file-reads.ts'
import { interpolate } from './interpolate.ts'
import { connectionsFor, deriveLimits } from './limits-section.ts'
import { inspectMachine, type Machine } from './machine.ts'
import { Place, type Reading } from './place.ts'
import { root } from './schema.ts'
import { SocketClaims } from './socket-claims.ts'
import { parseSource } from './source.ts'

export interface LoadConfigOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly machine?: Machine
  /** When certificates have to be valid. */
  readonly now?: Date
}

export async function loadConfig(file: string, options: LoadConfigOptions = {}): Promise<Config> {
  return parseConfig(await readSource(file), file, options)
}

/** The same for a text that need not exist as a file; relative paths in it start where `file` would be. */
export async function parseConfig(text: string, file: string, options: LoadConfigOptions = {}): Promise<Config> {
  const { env = process.env, machine = inspectMachine(), now = new Date() } = options
  const readAt = new Date()
  const path = resolve(file)
  const folder = dirname(path)
  const { value, written, problems } = await interpolate(parseSource(text, file), { folder, env })
  const reading: Reading = {
    folder,
    problems: [],
    warnings: [],
    files: new FileReads(),
    sockets: new SocketClaims(),
    names: new Map(),
    now,
    written,
  }
  const read = value === null ? emptyFile(reading, file) : root.read(value, new Place(reading))
  reading.sockets.reportOverlaps()
  await reading.files.settle()
  const all = withoutFollowUps(problems, reading.problems)
  if (all.length > 0 || read === undefined) throw new ConfigError(all)
  return deepFreeze(build(read, { path, readAt, machine, reading }))
}

async function readSource(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigError([{ path: file, message: unreadable(resolve(file), cause, process.cwd()) }], { cause })
  }
}

function emptyFile(reading: Reading, file: string): undefined {
  reading.problems.push({ path: file, message: 'is empty: write clusters with an upstream, listeners and a policy' })
}

/** A reference without a value is one problem, not two. */
function withoutFollowUps(references: readonly Problem[], others: readonly Problem[]): Problem[] {
  const unresolved = new Set(references.map(({ path }) => path))
  return [...references, ...others.filter(({ path }) => !unresolved.has(path))]
}

interface BuildOptions {
  readonly path: string
  readonly readAt: Date
  readonly machine: Machine
  readonly reading: Reading
}

function build(
  { clusters, admin, certs, limits, log, audit }: NonNullable<ReturnType<typeof root.read>>,
  options: BuildOptions,
): Config {
  const { path, readAt, machine, reading } = options
  const { sockets } = reading.sockets
  warnOfDescriptors(limits.connections, connectionsFor(machine, sockets), new Place(reading))
  return {
    file: path,
    readAt,
    clusters,
    ...(admin === 'none' ? {} : { admin }),
    ...(certs.autoRenew === undefined ? {} : { autoRenew: certs.autoRenew }),
    limits: deriveLimits(limits, machine, sockets),
    log,
    audit,
    warnings: reading.warnings,
  }
}

const FEW_CONNECTIONS = 100

function warnOfDescriptors(asked: number | undefined, possible: number, place: Place): void {
  const connections = place.key('limits').key('connections')
  if (asked !== undefined && asked > possible) {
    connections.warning(`is ${asked}, but the descriptor limit is enough for ${possible}: raise it (ulimit -n)`)
  } else if (asked === undefined && possible < FEW_CONNECTIONS) {
    connections.warning(
      `is ${possible}, all the descriptor limit is enough for: raise it (ulimit -n), or bind fewer brokerPorts`,
    )
  }
}
