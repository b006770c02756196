import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { defaultAddressRules, isLoopback, listedAddressRules } from '../../src/upstream/address-rules.ts'

const byDefault = defaultAddressRules(() => false)

describe('addresses that may be dialled', () => {
  for (const address of [
    '10.0.0.1',
    '192.168.1.9',
    '172.16.0.1',
    '8.8.8.8',
    '100.64.0.1',
    'fd00::1',
    '2001:db8::1',
    '::ffff:10.0.0.1',
  ]) {
    test(`A-24: ${address} is dialled by default`, () => assert.ok(byDefault.allows('broker', address)))
  }

  for (const address of [
    '169.254.169.254',
    '169.254.0.1',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '224.0.0.1',
    '239.255.255.255',
    '255.255.255.255',
    'ff02::1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::ffff:0.0.0.0',
    '::ffff:224.0.0.1',
    '64:ff9b::a9fe:a9fe',
    'localhost',
    '127.1',
    '2852039166',
    '',
  ]) {
    test(`A-24: ${address || 'nothing'} is never dialled by default`, () =>
      assert.equal(byDefault.allows('broker', address), false))
  }

  for (const address of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1']) {
    test(`A-24: ${address} is dialled only where the bootstrap is on this machine, too`, () => {
      assert.equal(byDefault.allows('broker', address), false)
      assert.ok(defaultAddressRules(() => true).allows('broker', address))
      assert.ok(isLoopback(address))
    })
  }

  test('a list allows what it names and nothing else', () => {
    const rules = listedAddressRules([
      { kind: 'name', name: 'broker.example' },
      { kind: 'suffix', suffix: '.internal' },
      { kind: 'network', address: '10.0.0.0', prefix: 8, family: 'ipv4' },
      { kind: 'network', address: '2001:db8::', prefix: 32, family: 'ipv6' },
    ])
    for (const [host, address, expected] of [
      ['broker.example', '8.8.8.8', true],
      ['BROKER.example', '8.8.8.8', true],
      ['a.broker.example', '8.8.8.8', false],
      ['x.internal', '8.8.8.8', true],
      ['internal', '8.8.8.8', false],
      ['evil-internal', '8.8.8.8', false],
      ['x.internal.evil', '8.8.8.8', false],
      ['anything', '10.255.0.1', true],
      ['anything', '::ffff:10.255.0.1', true],
      ['anything', '11.0.0.1', false],
      ['anything', '2001:db8:9::1', true],
      ['anything', '2001:db9::1', false],
      ['x.internal', 'not an address', false],
    ] as const) {
      assert.equal(rules.allows(host, address), expected, `${host} ${address}`)
    }
  })
})
