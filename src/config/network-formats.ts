/** Formats of addresses, networks and port ranges. */
import { isIP } from 'node:net'
import { canonicalHost, isHostName, isWildcard } from './addresses.ts'
import type { Endpoint, HostPattern, Network, PortRange } from './config.ts'
import { count } from './formats.ts'
import type { Place } from './place.ts'
import { type Format, isMapping, optional, required, section, withDefault } from './section.ts'

const PORT_MAX = 65_535
const PORTS_MAX = 10_000

const port = (digits: string | undefined): number | undefined => {
  const value = /^\d{1,5}$/.test(digits ?? '') ? Number(digits) : Number.NaN
  return value <= PORT_MAX ? value : undefined
}

function parseEndpoint(value: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d+)$/.exec(value)
  const host = canonicalHost(match?.[1] ?? match?.[2] ?? '')
  const number = port(match?.[3])
  if (host === undefined || number === undefined) return undefined
  return (isIP(host) === 6) === (match?.[1] !== undefined) ? { host, port: number } : undefined
}

function endpointHint(value: unknown): string {
  if (typeof value !== 'string') return 'write host:port'
  if (isIP(value) === 6 && !value.includes('%')) return `write "[${value}]:9092", with brackets and quotes`
  if (canonicalHost(value) !== undefined) return `write ${value}:9092, with a port`
  if (/^(\*)?:\d+$/.test(value))
    return `write 0.0.0.0:${value.split(':')[1]} (IPv4) or "[::]:${value.split(':')[1]}" (both)`
  return 'write host:port, an IPv6 address in brackets, the port up to 65535'
}

function readEndpoint(value: unknown, place: Place): Endpoint | undefined {
  const endpoint = typeof value === 'string' ? parseEndpoint(value) : undefined
  return endpoint ?? place.problem(`${place.shown(value)} is not an address: ${endpointHint(place.written ?? value)}`)
}

/** Where to listen. Port 0 lets the system choose. */
export const bindAddress: Format<Endpoint> = { name: 'host:port', read: readEndpoint }

/** Where others connect to. */
export const remoteAddress: Format<Endpoint> = {
  name: 'host:port',
  read(value, place) {
    const endpoint = readEndpoint(value, place)
    if (endpoint === undefined) return undefined
    if (endpoint.port === 0) return place.problem(`${place.shown(value)} has port 0, which nobody can connect to`)
    if (isWildcard(endpoint.host))
      return place.problem(
        `${place.shown(value)} is a wildcard, which nobody can connect to: write a host name or address`,
      )
    return endpoint
  },
}

export const hostName: Format<string> = {
  name: 'host name',
  read(value, place) {
    if (typeof value === 'string' && isHostName(value.toLowerCase())) return value.toLowerCase()
    return place.problem(`${place.shown(value)} is not a host name`)
  },
}

function parseNetwork(value: string): Network | undefined {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(value)
  const version = isIP(match?.[1] ?? '')
  if (match === null || version === 0) return undefined
  const bits = version === 4 ? 32 : 128
  const prefix = match[2] === undefined ? bits : Number(match[2])
  if (prefix > bits) return undefined
  return { address: canonicalHost(match[1]!)!, prefix, family: version === 4 ? 'ipv4' : 'ipv6' }
}

export const network: Format<Network> = {
  name: 'address or CIDR',
  read(value, place) {
    const parsed = typeof value === 'string' ? parseNetwork(value) : undefined
    return parsed ?? place.problem(`${place.shown(value)} is not a network: write 10.0.0.0/8, 10.0.0.7 or "fd00::/8"`)
  },
}

export const hostPattern: Format<HostPattern> = {
  name: 'host, *.domain, address or CIDR',
  read(value, place) {
    if (typeof value === 'string') {
      const parsed = parseNetwork(value)
      if (parsed) return { kind: 'network', ...parsed }
      const lower = value.toLowerCase()
      if (isHostName(lower)) return { kind: 'name', name: lower }
      if (lower.startsWith('*.') && isHostName(lower.slice(2))) return { kind: 'suffix', suffix: lower.slice(1) }
    }
    return place.problem(`${place.shown(value)} is not a host: write a name, "*.internal", an address or 10.0.0.0/8`)
  },
}

/** A range as written: what may be left out where ports are only advertised. */
export interface PortRangeDraft {
  readonly first: number
  readonly count?: number | undefined
  readonly firstId?: number | undefined
}

const portNumber = count({ min: 1, max: PORT_MAX })
const portCount = count({ min: 1, max: PORTS_MAX })
const brokerId = count({ min: 0, max: 2 ** 31 - 1 })
const FIRST = 'The port of broker firstId.'
const COUNT = 'How many ports.'
const FIRST_ID = 'The lowest broker id.'

export const portRange = shorthand(
  section(
    {
      first: required(FIRST, portNumber, 'write first: 9100'),
      count: required(COUNT, portCount, 'write count: 100'),
      firstId: withDefault(FIRST_ID, brokerId, 0),
    },
    { build: range => range as PortRange },
  ),
)

export const advertisedPortRange = shorthand(
  section(
    {
      first: required(FIRST, portNumber, 'write first: 9100'),
      count: optional(COUNT, portCount),
      firstId: optional(FIRST_ID, brokerId),
    },
    { build: range => range as PortRangeDraft },
  ),
)

/** `9100-9199` besides the section it is short for. */
function shorthand<T extends PortRangeDraft>(full: Format<T>): Format<T> {
  return {
    ...full,
    name: 'ports (9100-9199)',
    read(value, place) {
      if (isMapping(value)) return withinPorts(full.read(value, place), place)
      const match = /^(\d{1,5})\s*-\s*(\d{1,5})$/.exec(typeof value === 'string' ? value : '')
      if (match === null)
        return place.problem(
          `${place.shown(value)} is not a range of ports: write 9100-9199, or first, count and firstId`,
        )
      const [first, last] = [Number(match[1]), Number(match[2])]
      if (last < first) return place.problem(`${place.shown(value)} ends before it starts`)
      return withinPorts(full.read({ first, count: last - first + 1, firstId: 0 }, place), place)
    },
  }
}

function withinPorts<T extends PortRangeDraft>(range: T | undefined, place: Place): T | undefined {
  if (range === undefined || range.first + (range.count ?? 1) - 1 <= PORT_MAX) return range
  return place.problem(`ends at port ${range.first + (range.count ?? 1) - 1}, but ports end at ${PORT_MAX}`)
}
