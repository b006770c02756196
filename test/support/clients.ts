// Runs the programs of test/system/clients/ and reads what they report.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { finish } from './child-process.ts'
import { type BuiltClient, buildGo, buildJava, buildJavaScript, buildPython, sources } from './client-builds.ts'

export interface Job {
  readonly bootstrap: readonly string[]
  /** PEM file; without it the connection is plaintext. */
  readonly ca?: string
  /** PEM files: the client's own chain and its key in PKCS#8. */
  readonly certificate?: string
  readonly key?: string
  readonly topic: string
  readonly group: string
  readonly partitions: number
  readonly records: number
  readonly firstTimestamp: number
  readonly perSecond: number
  readonly idempotent: boolean
  readonly producer?: 'plain' | 'idempotent' | 'transactional'
  readonly consumer?: 'classic' | 'consumer' | 'share'
  /** Produces and reads at the same time: Java and confluent-kafka. */
  readonly together?: boolean
  /** Java, confluent-kafka, kcat, kafkajs and franz-go. */
  readonly sasl?: PasswordLogin | TokenLogin
}

export interface PasswordLogin {
  readonly mechanism: string
  readonly username: string
  readonly password: string
}

export interface TokenLogin {
  readonly mechanism: 'OAUTHBEARER'
  readonly tokenFile: string
}

export interface Position {
  readonly partition: number
  readonly offset: number
}

export interface ReadRecord extends Position {
  readonly timestamp: number
  /** Base64, like value and header values. */
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [string, string | null])[]
}

/** What a client said, in the order in which it said it. */
export interface ClientReport {
  readonly sent: ReadonlyMap<number, Position>
  readonly stored: readonly Position[]
  readonly read: readonly ReadRecord[]
  readonly retries: readonly string[]
  readonly facts: ReadonlyMap<string, readonly unknown[]>
  readonly stderr: string
}

export type ClientName = 'confluent' | 'franz' | 'java' | 'kafkajs' | 'kcat' | 'platformatic' | 'pure-python' | 'sarama'

const builds: Readonly<Record<ClientName, () => Promise<BuiltClient>>> = {
  confluent: () => buildPython('confluent.py'),
  franz: () => buildGo('franz'),
  java: () => buildJava(),
  kafkajs: () => buildJavaScript('kafkajs.mjs'),
  kcat: async () => ({ command: process.execPath, args: [join(sources, 'kcat', 'kcat.mjs')] }),
  platformatic: () => buildJavaScript('platformatic.mjs'),
  'pure-python': () => buildPython('pure.py'),
  sarama: () => buildGo('sarama'),
}

/** What asks each program for its version, by client; npm is always there. */
const needs: Readonly<Partial<Record<ClientName, readonly [program: string, ...args: string[]]>>> = {
  confluent: ['python3', '-m', 'pip', '--version'],
  franz: ['go', 'version'],
  java: ['javac', '-version'],
  kcat: ['kcat', '-V'],
  'pure-python': ['python3', '-m', 'pip', '--version'],
  sarama: ['go', 'version'],
}

const missing = new Map<ClientName, string | false>()

/** Why a client cannot run on this machine. Never a reason under CI: there it must run. */
export function clientMissing(name: ClientName): string | false {
  const known = missing.get(name) ?? lookFor(name)
  missing.set(name, known)
  return known
}

function lookFor(name: ClientName): string | false {
  const [program, ...args] = needs[name] ?? []
  if (program === undefined || process.env.CI === 'true' || spawnSync(program, args).status === 0) return false
  return `no ${[program, ...args].join(' ')} here`
}

export interface RunClientOptions {
  /** First argument of the Java program: `records` (default), `admin`, `prepare`. */
  readonly task?: string
  readonly jvm?: readonly string[]
  readonly timeoutMs?: number
  /** Called for each record that is acknowledged. */
  readonly onStored?: () => void
}

export async function runClient(name: ClientName, job: object, options: RunClientOptions = {}): Promise<ClientReport> {
  const report = emptyReport()
  const { onStored } = options
  const stderr = await runProgram(name, job, options, line => {
    if (take(report, line)) onStored?.()
  })
  return withStderr(report, stderr)
}

export interface RunJobsOptions {
  /** How many at a time. */
  readonly parallel: number
  readonly jvm?: readonly string[]
  readonly timeoutMs?: number
  /** Called when the job at this place of the list has ended, well or not. */
  readonly onEnded?: (at: number, report: ClientReport) => void
}

/** Many jobs in one process; one that fails has the fact `failed` in its report. */
export async function runJobs(
  name: 'confluent' | 'java',
  jobs: readonly Job[],
  { parallel, onEnded, ...options }: RunJobsOptions,
): Promise<readonly ClientReport[]> {
  const reports = jobs.map(emptyReport)
  const stderr = await runProgram(name, { parallel, jobs }, { ...options, task: 'jobs' }, ({ job, ...line }) => {
    const report = reports[job as number]
    if (report === undefined) throw new Error(`a line of no job: ${JSON.stringify(line)}`)
    take(report, line)
    if (line.fact === 'ended') onEnded?.(job as number, { ...report, stderr: '' })
  })
  return reports.map(report => withStderr(report, stderr))
}

type Line = Readonly<Record<string, unknown>>

/** @returns what the program printed to standard error. */
async function runProgram(
  name: ClientName,
  input: object,
  options: RunClientOptions,
  onLine: (line: Line) => void,
): Promise<string> {
  const { task = 'records', jvm = [], timeoutMs = 150_000 } = options
  const { command, args, env = {} } = await builds[name]()
  const javaArgs = name === 'java' ? [...jvm, ...args, task] : args
  const { code, signal, stderr } = await finish(command, javaArgs, {
    env: { ...process.env, ...env },
    input: JSON.stringify(input),
    timeoutMs,
    onLine: text => onLine(JSON.parse(text)),
  })
  if (code === 0) return stderr
  const lastWords = stderr.trim().split('\n').slice(-40).join('\n')
  throw new Error(`${name} ended with ${signal ?? `exit code ${code}`}\n${lastWords}`)
}

/** Java libraries log to standard error, also that they send something again. */
function withStderr(report: ClientReport, stderr: string): ClientReport {
  const logged = stderr.split('\n').filter(line => line.includes(', retrying ('))
  return { ...report, retries: [...report.retries, ...logged], stderr }
}

interface Growing extends ClientReport {
  readonly sent: Map<number, Position>
  readonly stored: Position[]
  readonly read: ReadRecord[]
  readonly retries: string[]
  readonly facts: Map<string, unknown[]>
}

const emptyReport = (): Growing => ({
  sent: new Map(),
  stored: [],
  read: [],
  retries: [],
  facts: new Map(),
  stderr: '',
})

/** Adds a line to the report; true when it says that a record is stored. */
function take(report: Growing, line: Line): boolean {
  const { sent, partition, offset, stored, read, retry, fact, value } = line as unknown as KnownLine
  if (sent !== undefined) {
    if (report.sent.has(sent)) throw new Error(`record ${sent} was reported as delivered twice`)
    if (!Number.isInteger(offset)) throw new Error(`record ${sent} was reported without its offset`)
    report.sent.set(sent, { partition, offset })
    return true
  }
  if (stored !== undefined) {
    report.stored.push(stored)
    return true
  }
  if (read !== undefined) report.read.push(read)
  else if (retry !== undefined) report.retries.push(retry)
  else if (fact !== undefined) report.facts.set(fact, [...(report.facts.get(fact) ?? []), value])
  else throw new Error(`a line nobody knows: ${JSON.stringify(line)}`)
  return false
}

interface KnownLine extends Position {
  readonly sent?: number
  readonly stored?: Position
  readonly read?: ReadRecord
  readonly retry?: string
  readonly fact?: string
  readonly value: unknown
}
