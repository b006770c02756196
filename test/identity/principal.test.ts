import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TlsError } from '../../src/errors.ts'
import { anonymous, formatPrincipal, userPrincipal } from '../../src/identity/principal.ts'

test('principals are printed as Kafka prints them', () => {
  assert.equal(formatPrincipal(userPrincipal('CN=alice,O=Acme')), 'User:CN=alice,O=Acme')
  assert.equal(formatPrincipal(anonymous), 'User:ANONYMOUS')
})

test('D-13: of the spellings of one name one is a principal, the others become nobody', () => {
  assert.equal(userPrincipal('Jos\u00e9').name, 'Jos\u00e9')
  // A combining accent, the Kelvin sign, the Greek question mark.
  for (const name of ['Jose\u0301', '\u212aafka', 'a\u037e']) assert.throws(() => userPrincipal(name), /form NFC/)
})

test('D-13: names that could be mistaken or forge a line are refused', () => {
  const names = [
    '',
    'a\nb',
    'a\r',
    'a\0',
    'a\u007f',
    'a\u0085b',
    'a\u2028b',
    'a\u2029b',
    '\ud800',
    'a'.repeat(257),
    'é'.repeat(129),
  ]
  for (const name of names) assert.throws(() => userPrincipal(name), TlsError, JSON.stringify(name))
  assert.equal(userPrincipal('é'.repeat(128)).name.length, 128)
})

test('D-14: no credential makes a client anonymous', () => {
  assert.throws(() => userPrincipal('ANONYMOUS'), /kept for clients without a credential/)
})

test('names that mean something to programs are plain names', () => {
  for (const name of ['__proto__', 'constructor', '*', 'role:admin', 'g, User:eve', 'User:x', '日本 😀']) {
    assert.equal(userPrincipal(name).name, name)
  }
})

test('a principal cannot be changed', () => {
  assert.ok(Object.isFrozen(anonymous) && Object.isFrozen(userPrincipal('alice')))
})
