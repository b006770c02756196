/** One cluster as the gateway uses it: what is known of its brokers, and how to reach them. */
import type { ClusterConfig, UpstreamConfig } from '../config/config.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { ClusterView } from '../topology/cluster-view.ts'
import { BrokerLinks } from '../upstream/broker-links.ts'
import { ClusterQuestions } from '../upstream/cluster-questions.ts'
import { ClusterWatch } from '../upstream/cluster-watch.ts'
import type { ByteBudget } from '../wire/byte-budget.ts'
import type { ReceiveBuffers } from '../wire/receive-buffers.ts'
import { BrokerLogins } from './broker-logins.ts'
import { ClusterAcl, type ClusterAclOptions } from './cluster-acl.ts'
import { createClusterConnect } from './cluster-connect.ts'
import { UpstreamTls } from './upstream-tls.ts'

export interface ClusterOptions {
  readonly config: ClusterConfig
  readonly connectTimeoutMs: number
  readonly frameBytesMax: number
  readonly budget: ByteBudget
  readonly buffers: ReceiveBuffers
  readonly metrics: Metrics
  readonly log: Logger
  readonly now: () => number
  readonly decisions: Pick<
    ClusterAclOptions,
    'counts' | 'audit' | 'auditsAllows' | 'mayDecide' | 'sessionRoom' | 'strangers'
  >
}

export interface Cluster {
  readonly name: string
  readonly view: ClusterView
  readonly links: BrokerLinks
  readonly watch: ClusterWatch
  /** Absent: plaintext. */
  readonly tls: UpstreamTls | undefined
  /** Absent: `policy: none`. */
  readonly acl: ClusterAcl | undefined
  /** Absent: brokers ask for no login. */
  readonly logins: BrokerLogins | undefined
  /** Hosts that must not reach a client: every broker's and every bootstrap's. */
  upstreamHosts(): Iterable<string>
}

/** Brokers that join, leave or move are noticed within this time even where no client sees it first. */
const refreshMs = 5_000

export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const { connectTimeoutMs, frameBytesMax, budget, buffers, metrics, now } = options
  const { name, upstream, policy } = options.config
  const log = options.log.child({ cluster: name })
  const view = new ClusterView()
  const tls = upstream.tls === undefined ? undefined : await UpstreamTls.open(name, upstream.tls)
  const logins = upstream.sasl === undefined ? undefined : new BrokerLogins(name, upstream.sasl, connectTimeoutMs)
  const { dial, connect } = createClusterConnect({
    upstream,
    tls,
    logins,
    connectTimeoutMs,
    frameBytesMax,
    budget,
    buffers,
    now,
  })
  const watch = new ClusterWatch({
    view,
    bootstrap: upstream.bootstrap,
    refreshMs,
    connect,
    onFailed: (error, { host, port }) => {
      metrics.error('VKITM_CLUSTER_UNREACHABLE')
      log.warn({ upstream: `${host}:${port}`, err: error }, 'cluster not reached, trying the next address')
    },
    onRecovered: () => log.info({}, 'cluster reached again'),
  })
  const links = new BrokerLinks({
    view,
    bootstrap: upstream.bootstrap,
    dial,
    budget,
    buffers,
    frameBytesMax,
    knownTimeoutMs: connectTimeoutMs,
    loginFor: logins?.forPrincipal,
    checkPrincipal: tls && (principal => tls.checkPrincipal(principal)),
    onOpened: () => metrics.upstreamOpened(),
    onClosed: () => metrics.upstreamClosed(),
    onStale: () => watch.refreshSoon(),
  })
  const questions = new ClusterQuestions({ view, bootstrap: upstream.bootstrap, connect, now })
  const acl =
    policy === 'none'
      ? undefined
      : await ClusterAcl.open({ ...options.decisions, cluster: name, config: policy, questions, log, metrics, now })
  view.onChanged(({ brokers }) => {
    void acl?.lookUpSetting()
    const known = [...brokers.values()].map(({ nodeId, host, port }) => `${nodeId}=${host}:${port}`)
    log.info({ details: { brokers: known } }, 'brokers known')
  })
  const upstreamHosts = (): Iterable<string> => hostsOf(view, upstream.bootstrap)
  return { name, view, links, watch, tls, acl, logins, upstreamHosts }
}

function* hostsOf(view: ClusterView, bootstrap: UpstreamConfig['bootstrap']): Iterable<string> {
  for (const { host } of bootstrap) yield host
  for (const { host } of view.snapshot?.brokers.values() ?? []) yield host
}
