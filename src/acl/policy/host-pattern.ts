/** The `host` of a rule: an address, a network in CIDR notation, or `*`. */
import { BlockList, isIP } from 'node:net'

export const ANY_HOST = '*'

export type HostMatch = (host: string) => boolean

/** Undefined where the text is neither an address nor a network. */
export function compileHostPattern(text: string): HostMatch | undefined {
  if (text === ANY_HOST) return () => true
  const [address = '', bits, more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || address.includes('%') || more !== undefined) return undefined
  const wide = family === 4 ? 32 : 128
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= wide)) return undefined
  const network = new BlockList()
  network.addSubnet(address, bits === undefined ? wide : Number(bits), familyName(family))
  return host => {
    // An address's zone (fe80::1%eth0) names an interface of this machine, not a client.
    const plain = host.replace(/%.*$/, '')
    const family = isIP(plain)
    // To take it for "does not match" would let it past a rule that denies.
    if (family === 0) throw new Error('the client has no IP address to hold against a rule with a host')
    return network.check(plain, familyName(family))
  }
}

const familyName = (family: number): 'ipv4' | 'ipv6' => (family === 4 ? 'ipv4' : 'ipv6')
