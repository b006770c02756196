/** A gateway in this process, in front of whatever a test puts behind it, with limits that a test can wait for. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config, LimitsConfig, ListenerConfig, PolicyConfig, UpstreamConfig } from '../../src/config/config.ts'
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts'
import type { Stage } from '../../src/pipeline/stage.ts'
import type { LogDestination } from '../../src/telemetry/log.ts'
import { freePortRange } from './free-ports.ts'
import { type MemoryLog, memoryLog } from './memory-log.ts'
import { connectRaw, type RawClient, type RawClientOptions } from './raw-client.ts'
import { until } from './until.ts'

export interface TestGatewayOptions {
  readonly upstream: UpstreamConfig
  readonly limits?: Partial<LimitsConfig>
  readonly listener?: Partial<ListenerConfig>
  /** Brokers 0 … count − 1 have a port. */
  readonly brokerPorts?: number
  /** Rows of a policy, or the file they are in; absent: `policy: none`. */
  readonly policy?:
    | readonly string[]
    | { readonly rulesFile: string; readonly refuse?: readonly string[]; readonly internalTopics?: 'judged' }
  /** Do not wait until the cluster is known. */
  readonly unready?: boolean
  /** Where decisions are written down; default: into the log. */
  readonly audit?: LogDestination
  readonly auditRequired?: boolean
  readonly interceptors?: readonly Stage[]
}

export interface TestGateway {
  readonly gateway: Gateway
  readonly port: number
  readonly log: MemoryLog
  portOf(nodeId: number): number
  connect(options?: Partial<RawClientOptions>): Promise<RawClient>
  /** `/readyz`, `/metrics` and the like. */
  page(path: string): Promise<{ readonly status: number; readonly text: string }>
  /** The value of a counter or gauge, summed over the labels that are not given. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
  stop(): Promise<void>
}

/** Far above what a test needs, far below what a person would wait for. */
export const testLimits: LimitsConfig = {
  connections: 1_000,
  connectionsPerIp: 1_000,
  acceptPerSecond: 10_000,
  acceptPerSecondPerIp: 10_000,
  frameBytes: 16 * 1024 * 1024,
  preAuthFrameBytes: 64 * 1024,
  preAuthRequests: 10,
  requestItems: 10_000,
  inFlight: 64,
  bufferedBytes: 64 * 1024 * 1024,
  handshakeTimeout: 10_000,
  firstFrameTimeout: 10_000,
  frameTimeout: 30_000,
  idleTimeout: 600_000,
  writeStall: 60_000,
  connectTimeout: 2_000,
  drainTimeout: 5_000,
  reauthTimeout: 30_000,
}

const projectFile = (...names: string[]): string => join(import.meta.dirname, '..', '..', '..', ...names)

function policyOf(rules: TestGatewayOptions['policy']): PolicyConfig | 'none' {
  if (rules === undefined) return 'none'
  const path = projectFile('policies', 'model.conf')
  return {
    model: { path, content: readFileSync(path) },
    rules:
      'rulesFile' in rules
        ? { path: rules.rulesFile, content: readFileSync(rules.rulesFile) }
        : { path: '/nowhere/policy.csv', content: Buffer.from(rules.join('\n')) },
    mode: 'enforce',
    superUsers: [],
    internalTopics: ('rulesFile' in rules && rules.internalTopics) || 'named',
    ...('rulesFile' in rules && rules.refuse !== undefined && { refuse: rules.refuse }),
  }
}

export async function startTestGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const { upstream, limits, listener, policy, brokerPorts: count = 3, unready = false, audit } = options
  const first = await freePortRange(count + 1)
  const brokerPorts = { first: first + 1, count, firstId: 0 }
  const bind = { host: '127.0.0.1', port: first }
  const log = memoryLog()
  const config: Config = {
    file: '/nowhere/vkitm.yaml',
    readAt: new Date(),
    clusters: [
      {
        name: 'main',
        upstream,
        policy: policyOf(policy),
        listeners: [
          {
            name: 'clients',
            bind,
            advertise: bind,
            expose: 'ports',
            brokerPorts,
            advertiseBrokerPorts: brokerPorts,
            principal: { rules: ['DEFAULT'] },
            ...listener,
          },
        ],
      },
    ],
    admin: { bind: { host: '127.0.0.1', port: 0 } },
    limits: { ...testLimits, ...limits },
    log: { level: 'debug' },
    audit: { allows: false, required: options.auditRequired ?? false },
    warnings: [],
  }
  const gateway = await startGateway(
    config,
    { log: log.log, audit: audit ?? log.destination },
    { interceptors: options.interceptors ?? [] },
  )
  const page = async (path: string) => {
    const answer = await fetch(`http://${gateway.admin}${path}`)
    return { status: answer.status, text: await answer.text() }
  }
  if (!unready) await until('brokers are known', () => log.lines('brokers known').length > 0)
  return {
    gateway,
    port: first,
    log,
    portOf: nodeId => brokerPorts.first + nodeId,
    connect: given => connectRaw({ port: first, ...given }),
    page,
    metric: async (name, labels = {}) => sumOf((await page('/metrics')).text, name, labels),
    stop: () => gateway.stop(),
  }
}

function sumOf(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  let sum = 0
  for (const line of text.split('\n')) {
    const [, metric, given = '', value] = /^(\w+)(\{.*\})? (\S+)$/.exec(line) ?? []
    if (metric !== name) continue
    if (Object.entries(labels).every(([label, wanted]) => given.includes(`${label}="${wanted}"`))) sum += Number(value)
  }
  return sum
}
