/** Whose address it is: who has one of IPv6 has 2^64 of them (RFC 6177), so those count as one. */
import ipaddr from 'ipaddr.js'

const networkBytes = 8

export function networkOf(ip: string): string {
  if (!ip.includes(':') || !ipaddr.isValid(ip)) return ip
  const bytes = ipaddr.parse(ip).toByteArray()
  return `${Buffer.from(bytes.slice(0, networkBytes)).toString('hex')}/64`
}
