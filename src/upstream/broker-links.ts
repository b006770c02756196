/** Opens the connection a client's requests go to: one broker by its id, or any live one. */
import type { Socket } from 'node:net'
import { SaslError, UpstreamError } from '../errors.ts'
import type { ClusterView } from '../topology/cluster-view.ts'
import type { ByteBudget } from '../wire/byte-budget.ts'
import type { ReceiveBuffers } from '../wire/receive-buffers.ts'
import { AuthenticatedConnection, type LoginOptions } from './authenticated-connection.ts'
import { BrokerConnection } from './broker-connection.ts'
import type { Dial, HostAndPort } from './dialer.ts'

export interface BrokerLinksOptions {
  readonly view: ClusterView
  readonly bootstrap: readonly HostAndPort[]
  readonly dial: Dial
  readonly budget: ByteBudget
  readonly buffers: ReceiveBuffers
  readonly frameBytesMax: number
  /** How long a port waits for the first news of its broker. */
  readonly knownTimeoutMs: number
  /** How to log in for a principal; throws where it has no credential. Absent: brokers ask for no login. */
  readonly loginFor?: ((principal: string) => LoginOptions) | undefined
  /** Throws where no broker may be dialled for the principal. */
  readonly checkPrincipal?: ((principal: string) => void) | undefined
  readonly onOpened: () => void
  readonly onClosed: () => void
  /** A broker could not be reached where the view says it is. */
  readonly onStale: () => void
}

export interface LinkEvents {
  readonly onWritable: () => void
  readonly onClosed: (error?: Error) => void
}

interface Wanted {
  readonly nodeId: number | undefined
  readonly principal: string | undefined
}

export type BrokerLink = BrokerConnection | AuthenticatedConnection

export class BrokerLinks {
  readonly #options: BrokerLinksOptions
  /** Addresses that failed last come last; cleared by success. */
  readonly #failing = new Set<string>()
  #turn = 0

  constructor(options: BrokerLinksOptions) {
    this.#options = options
  }

  /**
   * Connects to broker `nodeId`, or to any where it is undefined, and logs in for the principal. Rejects with an
   * UpstreamError or a SaslError. The connection is this client's alone.
   */
  async open(nodeId: number | undefined, events: LinkEvents, principal: string): Promise<BrokerLink> {
    const { loginFor, checkPrincipal } = this.#options
    checkPrincipal?.(principal)
    const login = loginFor?.(principal)
    const use = async (socket: Socket): Promise<BrokerLink> =>
      login === undefined
        ? this.#wrap(socket, events)
        : AuthenticatedConnection.open(login, events, wrapped => this.#wrap(socket, wrapped))
    return this.#first({ nodeId, principal }, use)
  }

  /** For clients that log in themselves: whom the connection is for is not known yet. */
  openUnauthenticated(nodeId: number | undefined, events: LinkEvents): Promise<BrokerConnection> {
    return this.#first({ nodeId, principal: undefined }, async socket => this.#wrap(socket, events))
  }

  async #first<Link>({ nodeId, principal }: Wanted, use: (socket: Socket) => Promise<Link>): Promise<Link> {
    const targets = nodeId === undefined ? this.#anyBroker() : [await this.#knownBroker(nodeId)]
    let failure: unknown
    for (const target of targets) {
      try {
        return await use(await this.#dial(target, principal))
      } catch (error) {
        // Another broker would say the same of this credential, and count it as a failure.
        if (error instanceof SaslError) throw error
        failure = error
      }
    }
    throw failure
  }

  async #knownBroker(nodeId: number): Promise<HostAndPort> {
    const { view, knownTimeoutMs } = this.#options
    const broker = view.broker(nodeId) ?? (await view.waitForBroker(nodeId, AbortSignal.timeout(knownTimeoutMs)))
    if (broker !== undefined) return broker
    throw new UpstreamError('VKITM_UPSTREAM_UNKNOWN_BROKER', `the cluster has no broker ${nodeId}`, {
      retriable: true,
      details: { nodeId },
    })
  }

  /** Live brokers and, until they are known, the bootstrap addresses: each turn another first, failing ones last. */
  #anyBroker(): HostAndPort[] {
    const { view, bootstrap } = this.#options
    const known: HostAndPort[] = [...(view.snapshot?.brokers.values() ?? bootstrap)]
    const first = this.#turn++ % known.length
    const turned = [...known.slice(first), ...known.slice(0, first)]
    return turned.sort((one, other) => Number(this.#isFailing(one)) - Number(this.#isFailing(other)))
  }

  async #dial(target: HostAndPort, principal: string | undefined): Promise<Socket> {
    try {
      const socket = await this.#options.dial(target, principal)
      this.#failing.delete(addressText(target))
      return socket
    } catch (error) {
      this.#failing.add(addressText(target))
      this.#options.onStale()
      throw error
    }
  }

  #isFailing(target: HostAndPort): boolean {
    return this.#failing.has(addressText(target))
  }

  #wrap(socket: Socket, events: LinkEvents): BrokerConnection {
    const { budget, buffers, frameBytesMax, onOpened, onClosed } = this.#options
    onOpened()
    return new BrokerConnection({
      socket,
      budget,
      buffers,
      frameBytesMax,
      onWritable: events.onWritable,
      onClosed: error => {
        onClosed()
        events.onClosed(error)
      },
    })
  }
}

const addressText = ({ host, port }: HostAndPort): string => `${host}:${port}`
