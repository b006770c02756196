/** Host names and IP addresses, in one spelling each. */
import { isIP, SocketAddress } from 'node:net'

const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/

/** Lower case, IPv6 in its shortest spelling; undefined where it is neither an address nor a host name. */
export function canonicalHost(host: string): string | undefined {
  // A zone (fe80::1%eth0) means something on one machine only.
  if (host.includes('%')) return undefined
  if (isIP(host) === 6) return new SocketAddress({ address: host, family: 'ipv6' }).address
  if (isIP(host) === 4) return host
  const lower = host.toLowerCase()
  return isHostName(lower) ? lower : undefined
}

export function isHostName(lower: string): boolean {
  const labels = lower.split('.')
  // 10.0.0 or 10.0.0.300 is a mistyped address, not a name: no top-level domain is a number.
  return lower.length <= 253 && labels.every(label => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1)!)
}

export const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** With brackets where a port could be mistaken for a part of the address. */
export function printed(host: string, port: number | string): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
