/** Builds every room from the configuration, in the order in which they stand on each other. */
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { SessionRoom } from '../acl/session-room.ts'
import { startAdmin } from '../admin/admin.ts'
import type { Config } from '../config/config.ts'
import type { Reloadable } from '../config/reloadable.ts'
import { AcceptLimits } from '../downstream/accept-limits.ts'
import { DeadlineSweep } from '../downstream/deadline-sweep.ts'
import { LoginGuard } from '../downstream/login-guard.ts'
import type { Stage } from '../pipeline/stage.ts'
import { apiName } from '../protocol/api-key.ts'
import { describeApi } from '../protocol/api-table.ts'
import { AuditLog } from '../telemetry/audit-log.ts'
import { FloodLog } from '../telemetry/flood-log.ts'
import type { Log, LogDestination } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { ByteBudget } from '../wire/byte-budget.ts'
import { ReceiveBuffers } from '../wire/receive-buffers.ts'
import { AuditWatch } from './audit-watch.ts'
import { AutoRenew, namesServedFrom } from './auto-renew.ts'
import { random } from './chance.ts'
import { Clients, type Shared } from './clients.ts'
import { type Cluster, openCluster } from './cluster.ts'
import { DecisionCounts } from './decisions.ts'
import { ExpiryWatch } from './expiry-watch.ts'
import { unreadyReasons } from './readiness.ts'
import { Reloader } from './reloader.ts'

export interface BoundListener {
  readonly cluster: string
  readonly listener: string
  /** The bootstrap port. */
  readonly bootstrap: string
  readonly brokerPorts: string
}

export interface Gateway {
  readonly addresses: readonly BoundListener[]
  /** Where health and metrics are served; undefined where they are not. */
  readonly admin: string | undefined
  /** Takes no new connections, answers what was asked, and stops, at the latest after `limits.drainTimeout`. */
  drain(): Promise<void>
  stop(): Promise<void>
  /** Reads again whatever can be exchanged; rejects with all that cannot, which then stays as it was. */
  reload(): Promise<void>
}

export interface Outputs {
  readonly log: Log
  /** Where decisions are written down. */
  readonly audit: LogDestination
  /** What else a reload exchanges. */
  readonly reloadables?: readonly Reloadable[]
}

/** What the configuration cannot say. */
export interface Extensions {
  /** See `interceptors/judged-again.ts`. */
  readonly interceptors?: readonly Stage[]
}

const countsSweepMs = 1_000

export async function startGateway(
  config: Config,
  { log, audit: auditDestination, reloadables = [] }: Outputs,
  { interceptors = [] }: Extensions = {},
): Promise<Gateway> {
  const { limits } = config
  const metrics = new Metrics({ apiName: key => (describeApi(key) === undefined ? undefined : apiName(key)) })
  const budget = new ByteBudget(limits.bufferedBytes)
  const buffers = new ReceiveBuffers()
  // By import: Node looks the global of that name up each time it is read.
  const now = (): number => performance.now()
  const strangers = new FloodLog({ log, now })
  let connections = 0
  const shared: Shared = {
    limits,
    budget,
    buffers,
    metrics,
    log,
    strangers,
    now,
    sweep: new DeadlineSweep(now),
    acceptLimits: new AcceptLimits(limits, now),
    interceptors,
    nextConnection: () => ++connections,
    guard: new LoginGuard({ now, random }),
  }
  metrics.counter('vkitm_log_dropped_total', 'Log lines that the destination did not take', () => log.dropped())
  metrics.gauge('vkitm_buffered_bytes', 'Bytes of frames held in memory', () => budget.inUseBytes)

  const { allows: auditsAllows, required: isRequired } = config.audit
  const audit = new AuditLog({ destination: auditDestination, now })
  const auditWatch = new AuditWatch({ destination: auditDestination, isRequired, log, metrics })
  const countsSweep = setInterval(() => {
    audit.sweep()
    auditWatch.look()
    strangers.sweep()
  }, countsSweepMs).unref()
  const mayDecide = (): boolean => !auditWatch.isFailing
  const decisions = {
    counts: new DecisionCounts(metrics),
    audit,
    auditsAllows,
    mayDecide,
    sessionRoom: new SessionRoom(),
    strangers,
  }

  const clusters: Cluster[] = []
  for (const cluster of config.clusters) {
    const opened = await openCluster({
      config: cluster,
      connectTimeoutMs: limits.connectTimeout,
      // A broker adds headers to what a client asked for, and a first batch that is larger than asked comes whole.
      frameBytesMax: 2 * limits.frameBytes,
      budget,
      buffers,
      metrics,
      log,
      now,
      decisions,
    })
    clusters.push(opened)
  }
  const clients = config.clusters.map(({ listeners }, at) =>
    listeners.map(listener => new Clients(listener, clusters[at] as Cluster, shared)),
  )
  const certificates = [...clients.flat(), ...clusters].flatMap(({ tls }) => (tls === undefined ? [] : [tls]))
  const policies = clusters.flatMap(({ acl }) => (acl === undefined ? [] : [acl.policy]))
  const logins = [...clients.flat(), ...clusters].flatMap(each => each.logins ?? [])
  const reloader = new Reloader({
    reloadables: [...policies, ...certificates, ...logins, ...reloadables],
    log,
    metrics,
    since: config.readAt,
  })
  const expiryWatch = new ExpiryWatch({
    expiries: () => certificates.flatMap(({ expiries }) => expiries),
    log,
    metrics,
  })
  const autoRenew =
    config.autoRenew &&
    new AutoRenew({ ...config.autoRenew, names: namesServedFrom(config.autoRenew.dir, config), log, metrics })
  let isDraining = false
  const notReady = (): string[] =>
    isDraining ? ['draining'] : [...auditWatch.reasons, ...unreadyReasons(clusters, clients)]

  const stop = async (): Promise<void> => {
    reloader.close()
    expiryWatch.close()
    autoRenew?.close()
    for (const cluster of clusters) {
      cluster.watch.stop()
      cluster.acl?.close()
    }
    clearInterval(countsSweep)
    audit.flush()
    await Promise.all(clients.flat().map(each => each.stop()))
    strangers.flush()
    await admin?.close()
  }
  const addresses: BoundListener[] = []
  let admin: Awaited<ReturnType<typeof startAdmin>> | undefined
  try {
    for (const [at, listeners] of config.clusters.entries()) {
      for (const [index, listener] of listeners.listeners.entries()) {
        const [bootstrap, ...brokerPorts] = await (clients[at]![index] as Clients).listen()
        addresses.push({
          cluster: listeners.name,
          listener: listener.name,
          bootstrap: `${listener.bind.host}:${bootstrap}`,
          brokerPorts: `${brokerPorts[0]}-${brokerPorts.at(-1)}`,
        })
      }
    }
    if (config.admin !== undefined) {
      const health = (): readonly string[] => [
        ...auditWatch.reasons,
        ...reloader.degraded,
        ...expiryWatch.degraded,
        ...(autoRenew?.degraded ?? []),
      ]
      const actions = { '/reload': () => reloader.reload() }
      admin = await startAdmin({ ...config.admin, log, metrics, health, readiness: notReady, actions })
    }
  } catch (error) {
    await stop()
    throw error
  }
  for (const cluster of clusters) cluster.watch.start()
  // What has to be renewed at once is found by the first look of the watcher.
  void reloader.start().then(() => autoRenew?.look())

  return {
    addresses,
    admin: admin?.address,
    async drain() {
      isDraining = true
      const drained = Promise.all(clients.flat().map(each => each.drain()))
      const abort = new AbortController()
      await Promise.race([drained, delay(limits.drainTimeout, undefined, { signal: abort.signal })])
      abort.abort()
      await stop()
    },
    stop,
    reload: () => reloader.reload(),
  }
}
