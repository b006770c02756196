// `node --import <this file>`: host names listed in VKITM_TEST_HOSTS (separated by commas) resolve to 127.0.0.1.
// The brokers of the tests advertise a name that exists nowhere else, so that a leak of it can be seen.
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { promisify } from 'node:util'

const names = new Set((process.env.VKITM_TEST_HOSTS ?? '').split(',').filter(Boolean))
const lookup = dns.lookup
const lookupPromise = dns.promises.lookup
const loopback = { address: '127.0.0.1', family: 4 }

dns.lookup = function (host, options, callback) {
  if (!names.has(host)) return lookup.apply(this, arguments)
  const done = callback ?? options
  const all = typeof options === 'object' && options?.all
  process.nextTick(() => (all ? done(null, [loopback]) : done(null, loopback.address, loopback.family)))
}
dns.lookup[promisify.custom] = async (host, options) => dns.promises.lookup(host, options)
dns.promises.lookup = async function (host, options) {
  if (!names.has(host)) return lookupPromise.apply(this, arguments)
  return options?.all ? [loopback] : loopback
}
syncBuiltinESMExports()
