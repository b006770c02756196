import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf } from '../../src/downstream/network-of.ts'

test('an address of IPv4 is one, 64 bits of IPv6 are one', () => {
  assert.equal(networkOf('10.0.0.1'), '10.0.0.1')
  assert.equal(networkOf('2001:db8::1'), networkOf('2001:db8:0:0:ffff:ffff:ffff:ffff'))
  assert.equal(networkOf('fe80::1%eth0'), networkOf('fe80::2'))
  const networks = ['2001:db8::1', '2001:db8:0:1::1', '2001:db9::1', '::1', '64:ff9b::10.0.0.1']
  assert.equal(new Set(networks.map(networkOf)).size, networks.length)
  assert.equal(networkOf('nonsense:'), 'nonsense:')
})
