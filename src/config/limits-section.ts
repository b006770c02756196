/** The bounds of the process. Defaults come from the threat model; two of them depend on the machine. */
import type { LimitsConfig } from './config.ts'
import { bytes, count, duration } from './formats.ts'
import type { Machine } from './machine.ts'
import { type Format, optional, section, withDefault } from './section.ts'

/** Bytes on the wire are counted in 32 bits with a sign. */
const FRAME_BYTES_MAX = 2 ** 31 - 1

export type LimitsDraft = Omit<LimitsConfig, DerivedKey> & { readonly [Key in DerivedKey]?: number | undefined }
type DerivedKey = 'connections' | 'connectionsPerIp' | 'acceptPerSecondPerIp' | 'bufferedBytes'

export const limits: Format<LimitsDraft> = section(
  {
    connections: optional(
      'Client connections. Default: half of the descriptors that listening leaves over (two per client), at most 10,000.',
      count(),
    ),
    connectionsPerIp: optional(
      'Client connections from one address, or one /64 network of IPv6. Default: connections.',
      count(),
    ),
    acceptPerSecond: withDefault('New connections per second.', count(), 1000),
    acceptPerSecondPerIp: optional(
      'New connections per second from one address, or one /64 network of IPv6. Default: acceptPerSecond.',
      count(),
    ),
    frameBytes: withDefault(
      'The largest request. An answer may be twice as long.',
      bytes({ min: 1024, max: FRAME_BYTES_MAX }),
      '100MiB',
    ),
    preAuthFrameBytes: withDefault(
      'The largest request of a client that is not authenticated yet.',
      bytes({ min: 1024, max: FRAME_BYTES_MAX }),
      '64KiB',
    ),
    preAuthRequests: withDefault('Requests before a client must be authenticated.', count(), 10),
    requestItems: withDefault(
      'Topics, partitions, names and whatever else the lists of one request hold; four numbers count as one.',
      count(),
      10_000,
    ),
    inFlight: withDefault('Requests of one connection that wait for answers.', count(), 64),
    bufferedBytes: optional(
      'Bytes of answers the process holds at once. Default: a quarter of the memory.',
      bytes({ min: 1024 * 1024 }),
    ),
    handshakeTimeout: withDefault('From accepting a connection to the end of its TLS handshake.', duration, '10s'),
    firstFrameTimeout: withDefault('From the handshake to the first whole request.', duration, '10s'),
    frameTimeout: withDefault(
      'For the rest of a request whose first byte is here; large ones get more, by 64 KiB/s.',
      duration,
      '30s',
    ),
    idleTimeout: withDefault('Without any request or answer.', duration, '600s'),
    writeStall: withDefault('A client that takes no byte for so long is closed.', duration, '60s'),
    connectTimeout: withDefault('For a connection to a broker, TLS included.', duration, '5s'),
    drainTimeout: withDefault('For requests in flight when the gateway stops.', duration, '15s'),
    reauthTimeout: withDefault('For a client that must authenticate again.', duration, '30s'),
  },
  {
    check({ frameBytes, preAuthFrameBytes, connections, connectionsPerIp }, place) {
      if (frameBytes !== undefined && preAuthFrameBytes !== undefined && preAuthFrameBytes > frameBytes) {
        place.key('preAuthFrameBytes').problem('is more than frameBytes: strangers get less than clients')
      }
      if (connections !== undefined && connectionsPerIp !== undefined && connectionsPerIp > connections) {
        place.key('connectionsPerIp').problem(`is never reached: connections is ${connections}`)
      }
    },
    build: read => read,
  },
)

const CONNECTIONS_MAX = 10_000
/** What the process needs besides clients and listening: files, logs, look-ups, metadata connections. */
const DESCRIPTORS_OWN = 64
const DESCRIPTORS_PER_CLIENT = 2

export function deriveLimits(draft: LimitsDraft, machine: Machine, listeningSockets: number): LimitsConfig {
  const connections = draft.connections ?? connectionsFor(machine, listeningSockets)
  return {
    ...draft,
    connections,
    connectionsPerIp: draft.connectionsPerIp ?? connections,
    acceptPerSecondPerIp: draft.acceptPerSecondPerIp ?? draft.acceptPerSecond,
    bufferedBytes: draft.bufferedBytes ?? Math.floor(machine.memoryBytes / 4),
  }
}

/** Never less than one: a gateway that is short of descriptors says so and still serves somebody. */
export function connectionsFor({ descriptors }: Machine, listeningSockets: number): number {
  const left = Math.floor((descriptors - DESCRIPTORS_OWN - listeningSockets) / DESCRIPTORS_PER_CLIENT)
  return Math.max(1, Math.min(CONNECTIONS_MAX, left))
}
