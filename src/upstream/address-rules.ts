/**
 * Which addresses the gateway may dial. Metadata comes from brokers, and a hostile one could send the gateway
 * anywhere inside its network, so every address is judged after its name is resolved and right before the dial.
 */
import { BlockList, isIP } from 'node:net'

export type HostPattern =
  /** Lower case, compared whole. */
  | { readonly kind: 'name'; readonly name: string }
  /** `*.internal`: every host below; the suffix keeps its dot. */
  | { readonly kind: 'suffix'; readonly suffix: string }
  | { readonly kind: 'network'; readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6' }

export interface AddressRules {
  /** May `address`, which `host` resolved to, be dialled? */
  allows(host: string, address: string): boolean
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

function blockList(...networks: readonly [string, number, 'ipv4' | 'ipv6'][]): BlockList {
  const list = new BlockList()
  for (const [address, prefix, family] of networks) list.addSubnet(address, prefix, family)
  return list
}

const loopback = blockList(['127.0.0.0', 8, 'ipv4'], ['::1', 128, 'ipv6'])

/** Link-local (with the metadata services of clouds), unspecified and multicast: never a broker. */
const neverBrokers = blockList(
  ['169.254.0.0', 16, 'ipv4'],
  ['fe80::', 10, 'ipv6'],
  ['0.0.0.0', 8, 'ipv4'],
  ['::', 128, 'ipv6'],
  ['224.0.0.0', 4, 'ipv4'],
  ['255.255.255.255', 32, 'ipv4'],
  ['ff00::', 8, 'ipv6'],
  // 169.254.0.0/16 as a NAT64 gateway would translate it.
  ['64:ff9b::a9fe:0', 112, 'ipv6'],
)

/** The default: everything but link-local, unspecified, multicast, and loopback unless the bootstrap itself is there. */
export function defaultAddressRules(isBootstrapLoopback: () => boolean): AddressRules {
  return {
    allows(_host, address) {
      if (isIP(address) === 0 || neverBrokers.check(address, familyOf(address))) return false
      return !loopback.check(address, familyOf(address)) || isBootstrapLoopback()
    },
  }
}

/** `upstream.allow`: what is not listed is not dialled. */
export function listedAddressRules(patterns: readonly HostPattern[]): AddressRules {
  const networks = new BlockList()
  const names = new Set<string>()
  const suffixes: string[] = []
  for (const pattern of patterns) {
    if (pattern.kind === 'network') networks.addSubnet(pattern.address, pattern.prefix, pattern.family)
    else if (pattern.kind === 'name') names.add(pattern.name)
    else suffixes.push(pattern.suffix)
  }
  return {
    allows(host, address) {
      if (isIP(address) === 0) return false
      const name = host.toLowerCase()
      if (names.has(name) || suffixes.some(suffix => name.endsWith(suffix))) return true
      return networks.check(address, familyOf(address))
    },
  }
}

export function isLoopback(address: string): boolean {
  return isIP(address) !== 0 && loopback.check(address, familyOf(address))
}
