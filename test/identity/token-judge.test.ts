import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, randomInt, sign } from 'node:crypto'
import { beforeEach, describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type Fetch, fetchDocument } from '../../src/identity/fetch-document.ts'
import { parseKeySet, RemoteKeySet } from '../../src/identity/key-set.ts'
import { createTokenJudge } from '../../src/identity/token-judge.ts'

const nowMs = 1_800_000_000_000
const now = nowMs / 1_000
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
const jwk = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' })
const keySet = JSON.stringify({ keys: [jwk(rsa.publicKey, 'one')] })
const rules = { issuer: 'https://idp', audience: 'kafka', algorithms: ['RS256'], principalClaim: 'sub' } as const
const judge = createTokenJudge({ keys: parseKeySet(keySet), rules, wallClock: () => nowMs })

const claims = { iss: 'https://idp', aud: 'kafka', sub: 'alice', iat: now, exp: now + 60 }
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function token(change: object = {}, header: object = {}, key: KeyObject = rsa.privateKey): string {
  const text = `${part({ alg: 'RS256', kid: 'one', ...header })}.${part({ ...claims, ...change })}`
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
}

describe('a token', () => {
  test('that is right gives a name and its end', async () => {
    assert.deepEqual(await judge(token()), { name: 'alice', expiresAtMs: (now + 60) * 1_000 })
    assert.ok(await judge(token({ exp: now - 29 })))
    assert.ok(await judge(token({ nbf: now + 29, iat: now + 29 })))
    assert.ok(await judge(token({ aud: ['other', 'kafka'] })))
  })

  test('D-10: of another issuer, audience, time, key or algorithm, or that brings its own key, is refused', async () => {
    const hmacText = `${part({ alg: 'HS256', kid: 'one' })}.${part(claims)}`
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' })
    const bad: Readonly<Record<string, string>> = {
      'alg none': `${part({ alg: 'none', kid: 'one' })}.${part(claims)}.`,
      'HS256 with the public key': `${hmacText}.${createHmac('sha256', pem).update(hmacText).digest('base64url')}`,
      'an algorithm nobody listed': token({}, { alg: 'RS512' }),
      'another key': token({}, {}, stranger.privateKey),
      'unknown kid': token({}, { kid: 'two' }),
      'no kid': token({}, { kid: undefined }),
      jku: token({}, { jku: 'https://idp/keys' }),
      x5u: token({}, { x5u: 'https://idp/keys' }),
      jwk: token({}, { jwk: jwk(stranger.publicKey, 'one') }, stranger.privateKey),
      crit: token({}, { crit: ['b64'], b64: true }),
      'unknown crit': token({}, { crit: ['x'], x: 1 }),
      'another issuer': token({ iss: 'https://evil' }),
      'no issuer': token({ iss: undefined }),
      'another audience': token({ aud: 'other' }),
      'no audience': token({ aud: undefined }),
      expired: token({ exp: now - 31 }),
      'without end': token({ exp: undefined }),
      'not yet': token({ nbf: now + 31 }),
      'issued in the future': token({ iat: now + 31 }),
      'no subject': token({ sub: undefined }),
      'a subject that is no text': token({ sub: 5 }),
      'changed after it was signed': token().replace(/\.[^.]+\./, `.${part({ ...claims, sub: 'bob' })}.`),
      '100 KB': 'x'.repeat(100_000),
      empty: '',
    }
    for (const [what, text] of Object.entries(bad)) await assert.rejects(judge(text), what)
  })

  test('D-13: gives a principal in one spelling, or none', async () => {
    assert.equal((await judge(token({ sub: 'ü' }))).name, 'ü')
    for (const sub of ['', 'u\u0308', 'ANONYMOUS', 'a\nb', 'x'.repeat(257)])
      await assert.rejects(judge(token({ sub })), JSON.stringify(sub))
  })

  test('must have the scope, where one is asked for', async () => {
    const scoped = createTokenJudge({
      keys: parseKeySet(keySet),
      rules: { ...rules, scope: 'kafka' },
      wallClock: () => nowMs,
    })
    await assert.rejects(scoped(token()))
    await assert.rejects(scoped(token({ scope: 'kafkaesque' })))
    assert.ok(await scoped(token({ scope: 'a kafka b' })))
    assert.ok(await scoped(token({ scope: ['kafka'] })))
  })

  test('D-10: of 600 damaged ones none is believed', async () => {
    const right = token()
    for (let turn = 0; turn < 600; turn++) {
      const at = randomInt(right.length)
      // The last letter of base64 has bits that mean nothing; one letter before a dot may, too.
      const cut = [
        right.slice(0, at),
        `${right.slice(0, at)}${randomBytes(3).toString('base64url')}${right.slice(at)}`,
      ][turn % 2]!
      await assert.rejects(judge(cut), `${turn} ${at}`)
    }
  })
})

interface Provider {
  readonly fetch: Fetch
  count: number
  text: string
}

function provider(text: string): Provider {
  const it: Provider = {
    count: 0,
    text,
    fetch: async () => {
      it.count++
      if (it.text === '') throw new Error('down')
      return new Response(it.text)
    },
  }
  return it
}

describe('keys from a URL', () => {
  const url = 'https://idp/keys'
  const setOf = (...kids: string[]) => JSON.stringify({ keys: kids.map(kid => jwk(rsa.publicKey, kid)) })
  let clock: number
  beforeEach(() => {
    clock = 0
  })
  const judging = (fetch: Fetch) => {
    const keys = new RemoteKeySet({ url, fetch, now: () => clock })
    return { keys, judged: createTokenJudge({ keys: keys.key, rules, wallClock: () => nowMs }) }
  }

  test('D-11: a new key is found by one fetch; a flood of unknown ones causes one in 30 seconds', async () => {
    const idp = provider(setOf('one'))
    const { judged } = judging(idp.fetch)
    await judged(token())
    assert.equal(idp.count, 1)
    idp.text = setOf('one', 'two')
    await assert.rejects(judged(token({}, { kid: 'two' })))
    clock += 30_000
    await judged(token({}, { kid: 'two' }))
    assert.equal(idp.count, 2)
    await Promise.allSettled(Array.from({ length: 500 }, (_, at) => judged(token({}, { kid: `x${at}` }))))
    assert.equal(idp.count, 2)
    clock += 30_000
    await Promise.allSettled(Array.from({ length: 500 }, (_, at) => judged(token({}, { kid: `x${at}` }))))
    assert.equal(idp.count, 3)
  })

  test('D-11: while the provider is down, known keys serve for a day and then nothing is believed', async () => {
    const idp = provider(setOf('one'))
    const { judged } = judging(idp.fetch)
    await judged(token())
    idp.text = ''
    clock = 24 * 3_600_000
    await judged(token())
    clock += 1
    await assert.rejects(judged(token()))
    idp.text = setOf('one')
    clock += 30_000
    await judged(token())
  })

  test('D-11: a key that was withdrawn is believed for ten minutes, or until everything is reloaded', async () => {
    const idp = provider(setOf('one', 'two'))
    const { keys, judged } = judging(idp.fetch)
    const [one, two] = [token({}, { kid: 'one' }), token({}, { kid: 'two' })]
    await judged(one)
    idp.text = setOf('two')
    clock = 10 * 60_000
    await judged(one)
    assert.equal(idp.count, 1)
    clock += 1
    await Promise.all(Array.from({ length: 50 }, () => assert.rejects(judged(one))))
    await judged(two)
    assert.equal(idp.count, 2)
    idp.text = setOf('three')
    keys.renew()
    await assert.rejects(judged(two))
    assert.equal(idp.count, 3)
  })

  test('D-11: what was asked before a reload does not count after it', async () => {
    const idp = provider('')
    const answers: ((text: string) => void)[] = []
    const fetch: Fetch = async () => {
      idp.count++
      return new Response(await new Promise<string>(resolve => answers.push(resolve)))
    }
    const { keys, judged } = judging(fetch)
    const first = judged(token({}, { kid: 'one' }))
    await turn()
    keys.renew()
    answers[0]!(setOf('one'))
    await turn()
    answers[1]!(setOf('two'))
    await assert.rejects(first)
    await judged(token({}, { kid: 'two' }))
    assert.equal(idp.count, 2)
  })

  test('D-11: a provider that is down when keys are old is asked every 30 seconds, not by every token', async () => {
    const idp = provider(setOf('one'))
    const { judged } = judging(idp.fetch)
    await judged(token())
    idp.text = ''
    clock = 20 * 60_000
    for (let turn = 0; turn < 60; turn++) {
      await judged(token())
      clock += 1_000
    }
    assert.equal(idp.count, 3)
  })

  test('D-12: only https, no redirect, at most 1 MiB', async () => {
    const answering =
      (answer: Response): Fetch =>
      async () =>
        answer
    for (const bad of [
      'http://idp/keys',
      'file:///etc/passwd',
      'data:,x',
      'ftp://idp',
      'https://user:pass@idp/',
      'nonsense',
    ])
      await assert.rejects(fetchDocument(answering(new Response('x')), bad), { code: 'VKITM_FETCH' }, bad)
    assert.equal(await fetchDocument(answering(new Response('x')), 'http://127.0.0.1:1/keys'), 'x')
    const redirect = new Response(null, { status: 302, headers: { location: 'https://elsewhere' } })
    await assert.rejects(fetchDocument(answering(redirect), url), { code: 'VKITM_FETCH' })
    await assert.rejects(fetchDocument(answering(new Response('x'.repeat(1024 * 1024 + 1))), url), {
      code: 'VKITM_FETCH',
    })
    let asked: RequestInit = {}
    await fetchDocument(async (_, init) => {
      asked = init
      return new Response('x')
    }, url)
    assert.equal(asked.redirect, 'manual')
    assert.ok(asked.signal instanceof AbortSignal)
  })

  test('a set without public keys is refused', () => {
    for (const bad of ['', '{}', '{"keys":[]}', '{"keys":[1]}', '{"keys":[{"kty":"oct","k":"AA","kid":"x"}]}'])
      assert.throws(() => parseKeySet(bad), { code: 'VKITM_JWKS' }, bad)
  })
})
