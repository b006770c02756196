import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handshakeFailure, verdictOf } from '../../src/tls/handshake-failure.ts'

test('a verdict on a client certificate is in words, and one that nobody foresaw names its code', () => {
  assert.equal(verdictOf('CERT_SIGNATURE_FAILURE'), 'the client certificate is not signed by the authority it names')
  assert.equal(verdictOf('CERT_HAS_EXPIRED'), 'the client certificate, or one above it, has expired')
  assert.equal(verdictOf('PATH_LENGTH_EXCEEDED'), 'the client certificate is not trusted: PATH_LENGTH_EXCEEDED')
})

test('a handshake that failed for a known reason is told in words; otherwise the error has to do', () => {
  const withCode = (code: string): Error => Object.assign(new Error('x'), { code })
  assert.equal(handshakeFailure(withCode('ERR_SSL_HTTP_REQUEST')), 'this is HTTP without TLS')
  assert.equal(handshakeFailure(withCode('ERR_SSL_SOMETHING_ELSE')), undefined)
  assert.equal(handshakeFailure(new Error('x')), undefined)
})
