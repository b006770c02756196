// `node --import <this file>`: host names listed in VKITM_TEST_HOSTS (separated by commas) resolve to 127.0.0.1.
// The brokers of the tests advertise a name that exists nowhere else, so that a leak of it can be seen.
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { promisify } from 'node:util'

const names = new Set((process.env.VKITM_TEST_HOSTS ?? '').split(',').filter(Boolean))
const lookup = dns.lookup
const lookupPromise = dns.promises.lookup
const loopback = { address: '127.0.0.1', family: 4 }

dns.lookup = (host, ...rest) => {
  if (!names.has(host)) return lookup(host, ...rest)
  const done = rest.pop()
  const all = rest[0]?.all === true
  process.nextTick(() => (all ? done(null, [loopback]) : done(null, loopback.address, loopback.family)))
}
dns.promises.lookup = async (host, options) => {
  if (!names.has(host)) return lookupPromise(host, options)
  return options?.all ? [loopback] : loopback
}
dns.lookup[promisify.custom] = dns.promises.lookup
syncBuiltinESMExports()
