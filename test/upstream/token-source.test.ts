import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { Secret } from '../../src/telemetry/secret.ts'
import { endpointTokenSource, type TokenSource } from '../../src/upstream/token-source.ts'

describe('tokens from an endpoint', () => {
  let clock: number
  let asked: { url: string; init: RequestInit }[]
  let answer: () => Response
  let source: TokenSource
  const answering = (text: string, seconds?: number) => () =>
    new Response(JSON.stringify({ access_token: text, token_type: 'bearer', expires_in: seconds }))

  beforeEach(() => {
    clock = 0
    asked = []
    answer = answering('one', 100)
    source = endpointTokenSource({
      url: 'https://idp/token',
      clientId: 'a b',
      clientSecret: new Secret('c:d&e'),
      scope: 'kafka',
      now: () => clock,
      fetch: async (url, init) => {
        asked.push({ url, init })
        return answer()
      },
    })
  })

  test('are asked for as RFC 6749 says', async () => {
    assert.equal(await source.token(), 'one')
    const [{ url, init } = { url: '', init: {} }] = asked
    assert.deepEqual([url, init.method], ['https://idp/token', 'POST'])
    assert.equal(init.body, 'grant_type=client_credentials&scope=kafka')
    const headers = new Headers(init.headers)
    assert.equal(headers.get('authorization'), `Basic ${Buffer.from('a+b:c%3Ad%26e').toString('base64')}`)
  })

  test('serve for most of their time, by one question however many ask', async () => {
    await Promise.all(Array.from({ length: 20 }, () => source.token()))
    clock = 79_999
    await source.token()
    assert.equal(asked.length, 1)
    clock = 80_000
    answer = answering('two', 100)
    assert.equal(await source.token(), 'two')
    assert.equal(asked.length, 2)
  })

  test('serve to their end while no other is to be had, and no longer; the endpoint is asked once a second', async () => {
    await source.token()
    answer = () => new Response('', { status: 500 })
    clock = 80_000
    for (let turn = 0; turn < 10; turn++) assert.equal(await source.token(), 'one')
    assert.equal(asked.length, 2)
    clock = 99_999
    assert.equal(await source.token(), 'one')
    assert.equal(asked.length, 3)
    clock = 100_000
    await assert.rejects(source.token(), { code: 'VKITM_FETCH', message: /status 500/ })
    await assert.rejects(source.token(), { code: 'VKITM_FETCH', message: /status 500/ })
    assert.equal(asked.length, 3)
    answer = answering('two', 100)
    clock = 101_000
    assert.equal(await source.token(), 'two')
  })

  test('that a broker refused are not shown again', async () => {
    await source.token()
    answer = answering('two', 100)
    source.refused()
    assert.equal(await source.token(), 'two')
    source.refused()
    clock += 1
    answer = () => new Response('', { status: 401 })
    await assert.rejects(source.token(), { message: /status 401/ })
  })

  test('without a time are asked for at every login', async () => {
    answer = answering('one')
    await source.token()
    await source.token()
    assert.equal(asked.length, 2)
  })

  test('are no part of an error', async () => {
    for (const text of ['canary', '{"token":"canary"}', '{"access_token":5,"x":"canary"}', '[]', 'null']) {
      answer = () => new Response(text)
      clock += 2_000
      await assert.rejects(source.token(), (error: Error) => {
        assert.equal(error.message, 'the token endpoint answered without access_token')
        assert.equal(error.cause, undefined)
        return true
      })
    }
  })
})
