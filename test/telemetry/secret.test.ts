import assert from 'node:assert/strict'
import { test } from 'node:test'
import { format, inspect } from 'node:util'
import { Secret } from '../../src/telemetry/secret.ts'

test('a secret shows itself to nobody but who asks for it by name', () => {
  const secret = new Secret('canary')
  const holder = { password: secret, list: [secret] }
  const shown = [
    `${secret}`,
    String(secret),
    JSON.stringify(holder),
    inspect(holder, { showHidden: true, depth: 9 }),
    format('%s %o %j', secret, secret, secret),
  ]
  for (const text of shown) {
    assert.doesNotMatch(text, /canary/)
    assert.match(text, /\[redacted\]/)
  }
  assert.deepEqual(Object.keys(secret), [])
  assert.equal(secret.reveal(), 'canary')
})
