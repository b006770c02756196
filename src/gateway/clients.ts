/** The clients' side of one configured listener: its ports, and a session for everybody who arrives. */
import { BlockList } from 'node:net'
import { TLSSocket } from 'node:tls'
import { createReplicaGuard } from '../acl/replica-id.ts'
import type { LimitsConfig, ListenerConfig } from '../config/config.ts'
import type { AcceptLimits } from '../downstream/accept-limits.ts'
import type { DeadlineSweep } from '../downstream/deadline-sweep.ts'
import { type Arrival, Listener, type ListenerPort } from '../downstream/listener.ts'
import type { LoginGuard } from '../downstream/login-guard.ts'
import { Session } from '../downstream/session.ts'
import type { SessionContext } from '../downstream/session-context.ts'
import { judgedAgain } from '../interceptors/judged-again.ts'
import type { Client } from '../pipeline/exchange.ts'
import { Pipeline } from '../pipeline/pipeline.ts'
import { refusedWith, refusedWithoutPolicy, ServedApis } from '../pipeline/served-apis.ts'
import type { Stage } from '../pipeline/stage.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { createHiddenText } from '../rewrite/hidden-text.ts'
import { createRewrite } from '../rewrite/rewrite.ts'
import type { StrangerLog } from '../telemetry/flood-log.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { peerNumbers } from '../tls/peer-certificate.ts'
import { type CertificateNumber, isRevoked } from '../tls/revocation-list.ts'
import { type AddressBook, portsAddressBook } from '../topology/address-book.ts'
import type { ByteBudget } from '../wire/byte-budget.ts'
import type { ReceiveBuffers } from '../wire/receive-buffers.ts'
import type { Cluster } from './cluster.ts'
import { Front } from './front.ts'
import { ListenerLogins } from './listener-logins.ts'
import { ListenerTls } from './listener-tls.ts'
import { createPrincipalOf, type PrincipalOf } from './principal-of.ts'

/** No stage keeps more of these than names and numbers. What interceptors keep, nobody knows. */
const keptByNoStage: SessionContext['leaveForGood'] = {
  requests: new Set([ApiKey.Produce]),
  answers: new Set([ApiKey.Fetch]),
}
const none: SessionContext['leaveForGood'] = { requests: new Set(), answers: new Set() }

/** What all listeners of a process share. */
export interface Shared {
  readonly limits: LimitsConfig
  readonly acceptLimits: AcceptLimits
  readonly budget: ByteBudget
  readonly buffers: ReceiveBuffers
  readonly sweep: DeadlineSweep
  readonly metrics: Metrics
  readonly log: Logger
  /** For what anybody can cause. */
  readonly strangers: StrangerLog
  readonly now: () => number
  readonly guard: LoginGuard
  /** In the order in which requests meet them. */
  readonly interceptors: readonly Stage[]
  /** Numbers connections over the life of the process. */
  readonly nextConnection: () => number
}

export class Clients {
  readonly name: string
  /** Where this listener's clients find each broker. */
  readonly book: AddressBook
  readonly #config: ListenerConfig
  readonly #shared: Shared
  readonly #listener: Listener
  readonly #context: SessionContext
  readonly #principalOf: PrincipalOf
  /** With what revocation lists would call their certificates, where there are lists. */
  readonly #sessions = new Map<Session, readonly CertificateNumber[]>()
  /** Absent: plaintext. */
  readonly tls: ListenerTls | undefined
  /** Absent: nobody logs in here. */
  readonly logins: ListenerLogins | undefined
  /** Those who have not logged in yet; absent where there is no login. */
  readonly #front: Front | undefined
  #isDraining = false
  #onDrained: (() => void) | undefined

  constructor(config: ListenerConfig, cluster: Cluster, shared: Shared) {
    this.name = config.name
    this.#config = config
    this.#shared = shared
    this.book = portsAddressBook(config.advertise.host, config.advertiseBrokerPorts)
    this.tls =
      config.tls === undefined
        ? undefined
        : new ListenerTls(config, {
            handshakeTimeoutMs: shared.limits.handshakeTimeout,
            onReplaced: () => this.#replaced(),
            onTicketKeys: keys => this.#listener.replaceTicketKeys(keys),
          })
    this.#principalOf = createPrincipalOf(config, () => this.tls?.revocations ?? [])
    this.#listener = this.#createListener()
    this.logins = config.sasl === undefined ? undefined : new ListenerLogins(config)
    const isPassthrough = cluster.logins?.isPassthrough === true
    this.#front =
      this.logins !== undefined || isPassthrough ? new Front({ logins: this.logins, cluster, shared }) : undefined
    this.#context = this.#createContext(cluster)
    this.#front?.use(this.#context.pipeline)
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  /** Binds every port; the first of the returned ones is the bootstrap port. */
  listen(): Promise<readonly number[]> {
    return this.#listener.listen()
  }

  /** Takes no new clients, answers what was asked; resolves when the last session has ended. */
  async drain(): Promise<void> {
    this.#isDraining = true
    await this.#listener.close()
    this.#front?.close()
    for (const session of [...this.#sessions.keys()]) session.drain()
    if (this.#sessions.size === 0) return
    await new Promise<void>(resolve => {
      this.#onDrained = resolve
    })
  }

  async stop(): Promise<void> {
    this.#isDraining = true
    this.tls?.close()
    await this.#listener.close()
    this.#front?.close()
    for (const session of [...this.#sessions.keys()]) session.destroy()
  }

  #createListener(): Listener {
    const { name, bind, brokerPorts, proxyProtocol } = this.#config
    const { acceptLimits, metrics, log, strangers, limits } = this.#shared
    const brokers = Array.from({ length: brokerPorts.count }, (_, at): ListenerPort => {
      return { port: brokerPorts.first + at, nodeId: brokerPorts.firstId + at }
    })
    return new Listener({
      name,
      host: bind.host,
      ports: [{ port: bind.port, nodeId: undefined }, ...brokers],
      tls: this.tls?.current.serverOptions,
      proxyTrusted: proxyProtocol === undefined ? undefined : blockListOf(proxyProtocol.trusted),
      headerTimeoutMs: limits.handshakeTimeout,
      limits: acceptLimits,
      metrics,
      log,
      strangers,
      onArrival: arrival => this.#arrived(arrival),
    })
  }

  /** The way of a request, in the order in which its stages meet it; answers meet them the other way round. */
  #createContext({ view, links, watch, upstreamHosts, acl, logins, tls }: Cluster): SessionContext {
    const { budget, buffers, limits, sweep, metrics, log, now, interceptors } = this.#shared
    const isReplacedBehind = (logins !== undefined && !logins.isPassthrough) || tls?.isMapped === true
    const areReplaced = this.logins !== undefined || isReplacedBehind
    const refused = refusedWith(acl?.refusedKeys ?? refusedWithoutPolicy, {
      fromClients: this.#front !== undefined,
      areReplaced,
    })
    const served = new ServedApis(refused)
    const rewrite = createRewrite({
      book: this.book,
      served,
      hidden: createHiddenText(upstreamHosts),
      clusterId: () => view.snapshot?.clusterId ?? null,
      brokersSeen: brokers => {
        const isNews = brokers.some(({ nodeId, host, port }) => {
          const known = view.snapshot?.brokers.get(nodeId)
          return known?.host !== host || known.port !== port
        })
        if (isNews) watch.refreshSoon()
      },
    })
    const stages: Stage[] = [
      ...(this.#front === undefined ? [] : [this.#front.stage]),
      createReplicaGuard(),
      ...(acl === undefined ? [] : [acl.stage()]),
      ...judgedAgain(interceptors, () => [createReplicaGuard(), ...(acl === undefined ? [] : [acl.stageAgain()])]),
      rewrite,
    ]
    const pipeline = new Pipeline({
      served,
      stages,
      metrics,
      requestLimits: { itemsMax: limits.requestItems, itemsSetting: 'limits.requestItems' },
    })
    const openUpstream: SessionContext['openUpstream'] = async (client, events) =>
      this.#front?.adopt(client, events) ?? links.open(client.nodeId, events, client.principal)
    // Who has logged in has asked in time already, and may have nothing to ask for now.
    const firstFrameTimeout = this.#front === undefined ? limits.firstFrameTimeout : Number.POSITIVE_INFINITY
    return {
      pipeline,
      openUpstream,
      budget,
      buffers,
      leaveForGood: interceptors.length === 0 ? keptByNoStage : none,
      limits: { ...limits, firstFrameTimeout },
      sweep,
      metrics,
      log,
      now,
    }
  }

  #arrived({ socket, nodeId, ip, port }: Arrival): void {
    const { nextConnection, strangers, metrics } = this.#shared
    const connection = nextConnection()
    const address = `${ip}:${port}`
    let principal: string
    try {
      principal = this.#principalOf(socket)
    } catch (error) {
      metrics.error('principal')
      strangers.warn({ listener: this.name, connection, client: address, err: error }, 'client has no principal')
      socket.destroy()
      return
    }
    const known = { connection, listener: this.name, address, ip, nodeId }
    if (this.#front === undefined) return this.#begin(socket, Object.freeze({ ...known, principal }))
    if (this.#isDraining) return void socket.destroy()
    this.#front.arrived(socket, known, client => this.#begin(socket, client))
  }

  #begin(socket: Arrival['socket'], client: Client): void {
    const session = new Session(socket, client, this.#context, () => this.#ended(session))
    const numbers = this.#numbersOf(socket)
    this.#sessions.set(session, numbers)
    // A login may take longer than it takes to be revoked.
    if (this.#areRevoked(numbers)) return this.#revoked(session)
    if (this.#isDraining) session.drain()
  }

  #numbersOf(socket: Arrival['socket']): readonly CertificateNumber[] {
    const isListed = this.tls !== undefined && this.tls.revocations.length > 0
    return isListed && socket instanceof TLSSocket ? peerNumbers(socket) : []
  }

  /** New handshakes use what was replaced; open connections live on, but for those that must not. */
  #replaced(): void {
    this.#listener.replaceContext(this.tls!.current.contextOptions)
    for (const [session, numbers] of [...this.#sessions]) {
      if (this.#areRevoked(numbers)) this.#revoked(session)
    }
  }

  #areRevoked(numbers: readonly CertificateNumber[]): boolean {
    return numbers.length > 0 && numbers.some(number => isRevoked(this.tls!.revocations, number))
  }

  #revoked(session: Session): void {
    const { connection, address, principal } = session.client
    this.#shared.metrics.error('revoked')
    this.#shared.log.warn(
      { listener: this.name, connection, client: address, principal },
      'the client certificate was revoked: its connection is closed',
    )
    session.destroy()
  }

  #ended(session: Session): void {
    this.#sessions.delete(session)
    if (this.#sessions.size === 0) this.#onDrained?.()
  }
}

function blockListOf(networks: NonNullable<ListenerConfig['proxyProtocol']>['trusted']): BlockList {
  const list = new BlockList()
  for (const { address, prefix, family } of networks) list.addSubnet(address, prefix, family)
  return list
}
