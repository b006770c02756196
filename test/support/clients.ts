// Runs the programs of test/system/clients/ and reads what they report.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { finish } from './child-process.ts'
import { type BuiltClient, buildGo, buildJava, buildJavaScript, buildPython, sources } from './client-builds.ts'

export interface Job {
  readonly bootstrap: readonly string[]
  /** PEM file; without it the connection is plaintext. */
  readonly ca?: string
  readonly topic: string
  readonly group: string
  readonly partitions: number
  readonly records: number
  readonly firstTimestamp: number
  readonly perSecond: number
  readonly idempotent: boolean
  readonly producer?: 'plain' | 'idempotent' | 'transactional'
  readonly consumer?: 'classic' | 'consumer' | 'share'
  /** Java, kcat, kafkajs and franz-go. */
  readonly sasl?: { readonly mechanism: string; readonly username: string; readonly password: string }
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

/** Why a client cannot run on this machine. Never a reason under CI: there it must run. */
export function clientMissing(name: ClientName): string | false {
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
  const { task = 'records', jvm = [], timeoutMs = 150_000, onStored } = options
  const { command, args, env = {} } = await builds[name]()
  const report = emptyReport()
  const javaArgs = name === 'java' ? [...jvm, ...args, task] : args
  const { code, signal, stderr } = await finish(command, javaArgs, {
    env: { ...process.env, ...env },
    input: JSON.stringify(job),
    timeoutMs,
    onLine: line => {
      if (take(report, line)) onStored?.()
    },
  })
  // Java libraries log to standard error.
  const logged = stderr.split('\n').filter(line => line.includes(', retrying ('))
  if (code === 0) return { ...report, retries: [...report.retries, ...logged], stderr }
  const lastWords = stderr.trim().split('\n').slice(-40).join('\n')
  throw new Error(`${name} ended with ${signal ?? `exit code ${code}`}\n${lastWords}`)
}

const emptyReport = () => ({
  sent: new Map<number, Position>(),
  stored: [] as Position[],
  read: [] as ReadRecord[],
  retries: [] as string[],
  facts: new Map<string, unknown[]>(),
})

/** Adds a line to the report; true when it says that a record is stored. */
function take(report: ReturnType<typeof emptyReport>, text: string): boolean {
  const line = JSON.parse(text)
  if (line.sent !== undefined) {
    if (report.sent.has(line.sent)) throw new Error(`record ${line.sent} was reported as delivered twice`)
    if (!Number.isInteger(line.offset)) throw new Error(`record ${line.sent} was reported without its offset`)
    report.sent.set(line.sent, { partition: line.partition, offset: line.offset })
    return true
  }
  if (line.stored !== undefined) {
    report.stored.push(line.stored)
    return true
  }
  if (line.read !== undefined) report.read.push(line.read)
  else if (line.retry !== undefined) report.retries.push(line.retry)
  else if (line.fact !== undefined) report.facts.set(line.fact, [...(report.facts.get(line.fact) ?? []), line.value])
  else throw new Error(`a line nobody knows: ${text}`)
  return false
}
