/** How a cluster's brokers are reached: which addresses may be dialled, TLS, and the gateway's own login. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { UpstreamConfig } from '../config/config.ts'
import { type AddressRules, defaultAddressRules, isLoopback, listedAddressRules } from '../upstream/address-rules.ts'
import { AuthenticatedRequests } from '../upstream/authenticated-requests.ts'
import { BrokerRequests } from '../upstream/broker-requests.ts'
import type { Questions } from '../upstream/cluster-watch.ts'
import { createDialer, type Dial, type HostAndPort } from '../upstream/dialer.ts'
import type { ByteBudget } from '../wire/byte-budget.ts'
import type { ReceiveBuffers } from '../wire/receive-buffers.ts'
import type { BrokerLogins } from './broker-logins.ts'
import type { UpstreamTls } from './upstream-tls.ts'

export interface ClusterConnectOptions {
  readonly upstream: UpstreamConfig
  /** Absent: plaintext. */
  readonly tls: UpstreamTls | undefined
  /** Absent: brokers ask for no login. */
  readonly logins: BrokerLogins | undefined
  readonly connectTimeoutMs: number
  readonly frameBytesMax: number
  readonly budget: ByteBudget
  readonly buffers: ReceiveBuffers
  /** Monotonic milliseconds. */
  readonly now: () => number
}

export interface ClusterConnect {
  /** For clients, whose login is another matter. */
  readonly dial: Dial
  /** For the gateway's own questions, under its own identity. */
  readonly connect: (target: HostAndPort) => Promise<Questions>
}

const answerTimeoutMs = 10_000

export function createClusterConnect(options: ClusterConnectOptions): ClusterConnect {
  const { logins, frameBytesMax, budget, buffers, now } = options
  const dial = createClusterDial(options)
  const connect = async (target: HostAndPort): Promise<Questions> => {
    const requests = new BrokerRequests({ socket: await dial(target), budget, buffers, frameBytesMax, answerTimeoutMs })
    return logins === undefined ? requests : AuthenticatedRequests.open({ requests, login: logins.own, now })
  }
  return { dial, connect }
}

function createClusterDial({ upstream, tls, connectTimeoutMs }: ClusterConnectOptions): Dial {
  return createDialer({
    rules: addressRules(upstream),
    resolve: host => lookup(host, { all: true, order: 'verbatim' }),
    connectTimeoutMs,
    tlsOptions: tls === undefined ? undefined : (host, principal) => tls.connectOptions(host, principal),
  })
}

/** `localhost` in the bootstrap is as good as 127.0.0.1: whoever says so runs brokers on this machine. */
function addressRules({ allow, bootstrap }: UpstreamConfig): AddressRules {
  const bootstrapHosts = new Set(bootstrap.map(({ host }) => host))
  if (allow !== undefined) {
    const listed = listedAddressRules(allow)
    // The list is about where metadata may send us; whoever wrote the bootstrap means it.
    return { allows: (host, address) => bootstrapHosts.has(host) || listed.allows(host, address) }
  }
  let isBootstrapLoopback = bootstrap.some(({ host }) => host === 'localhost' || isLoopback(host))
  const rules = defaultAddressRules(() => isBootstrapLoopback)
  return {
    allows(host, address) {
      // A bootstrap name that resolves to loopback says so for the cluster, too.
      if (!isBootstrapLoopback && isIP(host) === 0 && bootstrapHosts.has(host))
        isBootstrapLoopback = isLoopback(address)
      return rules.allows(host, address)
    },
  }
}
