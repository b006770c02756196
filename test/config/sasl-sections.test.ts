import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, test } from 'node:test'
import { createRoot, issueServer } from '../../src/tls/certificate-authority.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import { parse, problemsOf, workFolder, yamlWith } from './fixture.ts'

const now = new Date('2026-06-01T00:00:00Z')
const folder = workFolder()
after(folder.remove)
const root = createRoot({ subject: 'CN=Root', now })
const server = issueServer(root, { names: ['127.0.0.1'], now })
folder.write('server.pem', server.chain.join(''))
folder.write('server.key', server.key)
folder.write('users.json', (await usersOf({ alice: 'x' })).toText())
folder.write('bad-users.json', '{"alice": "canary"}')
folder.write('mapped.json', '{"User:alice": {"username": "al", "password": "canary"}}')
folder.write('bad-mapped.json', '{"alice": {"username": "al", "password": "canary"}}')
folder.write('token', 'a.b.c')
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
folder.write('jwks.json', JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one' }] }))
const options = { folder: folder.path, now }

const tls = 'tls: {certificate: server.pem, key: server.key}'
const listener = (sasl: string, more = tls) => yamlWith({ listener: `sasl: {${sasl}}\n${more}` })
const upstream = (sasl: string, more: Parameters<typeof yamlWith>[0] = {}) =>
  yamlWith({ ...more, upstream: `sasl: {${sasl}}` })
const here = 'clusters[0].listeners[0].sasl'
const there = 'clusters[0].upstream.sasl'
const bearer = 'oauthbearer: {jwks: jwks.json, issuer: "https://idp", audience: kafka}'

test('a listener’s logins come with their files, strongest mechanism first', async () => {
  const text = listener(
    `mechanisms: [PLAIN, OAUTHBEARER, SCRAM-SHA-512], users: users.json, ${bearer}, sessionLifetime: 1h`,
  )
  const { sasl } = (await parse(text, options)).clusters[0]!.listeners[0]!
  assert.deepEqual(sasl?.mechanisms, ['OAUTHBEARER', 'SCRAM-SHA-512', 'PLAIN'])
  assert.equal(sasl?.sessionLifetime, 3_600_000)
  assert.deepEqual([sasl?.oauthbearer?.principalClaim, sasl?.oauthbearer?.jwks.kind], ['sub', 'file'])
  assert.match(sasl?.users?.content.toString() ?? '', /storedKey/)
})

test('D-09: PLAIN and OAUTHBEARER need TLS; SCRAM without it is said at start', async () => {
  assert.deepEqual(
    await problemsOf(
      listener(`mechanisms: [PLAIN, OAUTHBEARER, SCRAM-SHA-256], users: users.json, ${bearer}`, ''),
      options,
    ),
    [
      `${here}.mechanisms: PLAIN sends its secret as it is, and this listener has no TLS: write tls, or take PLAIN out`,
      `${here}.mechanisms: OAUTHBEARER sends its secret as it is, and this listener has no TLS: write tls, or take OAUTHBEARER out`,
    ].sort((one, other) => Number(one.includes('PLAIN sends')) - Number(other.includes('PLAIN sends'))),
  )
  const { warnings } = await parse(listener('mechanisms: [SCRAM-SHA-256], users: users.json', ''), options)
  assert.ok(warnings.some(({ path, message }) => path === `${here}.mechanisms` && message.includes('without TLS')))
})

test('what a listener’s logins lack, or do not use, is told at once', async () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['mechanisms: [SCRAM-SHA-512]', [`${here}.users: is required: write the file that vkitm users add wrote`]],
    ['mechanisms: [OAUTHBEARER]', [`${here}.oauthbearer: is required: OAUTHBEARER needs jwks, issuer and audience`]],
    [
      `mechanisms: [OAUTHBEARER], users: users.json, ${bearer}`,
      [`${here}.users: is not used: OAUTHBEARER alone is enabled`],
    ],
    [
      `mechanisms: [PLAIN], users: users.json, ${bearer}`,
      [`${here}.oauthbearer: is not used: OAUTHBEARER is not among mechanisms`],
    ],
    [
      'mechanisms: [SCRAM-SHA-1], users: users.json',
      [`${here}.mechanisms[0]: "SCRAM-SHA-1" is not known: did you mean SCRAM-SHA-512?`],
    ],
  ]
  for (const [sasl, expected] of cases) assert.deepEqual(await problemsOf(listener(sasl), options), expected)
  const [bad] = await problemsOf(listener('mechanisms: [PLAIN], users: bad-users.json'), options)
  assert.match(bad!, /users: .*bad-users.json: "alice"/)
  assert.ok(!bad!.includes('canary'))
})

test('D-12: a key set comes from a file or from https alone', async () => {
  for (const url of ['http://idp/keys', 'file:///etc/passwd', 'ftp://idp/keys']) {
    const found = await problemsOf(
      listener(`mechanisms: [OAUTHBEARER], oauthbearer: {jwks: "${url}", issuer: i, audience: a}`),
      options,
    )
    assert.deepEqual(found, [`${here}.oauthbearer.jwks: "${url}" is not https: write https://…`])
  }
  await parse(
    listener('mechanisms: [OAUTHBEARER], oauthbearer: {jwks: "https://idp/keys", issuer: i, audience: a}'),
    options,
  )
})

test('the gateway’s own login, and its clients’, are read', async () => {
  const own = 'username: gateway, password: canary'
  for (const [sasl, kind] of [
    [`mode: service, mechanism: SCRAM-SHA-512, ${own}`, 'password'],
    [`mode: mapped, mechanism: PLAIN, ${own}, credentials: mapped.json`, 'password'],
    [`mode: passthrough, mechanism: PLAIN, ${own}`, 'password'],
    ['mode: service, mechanism: OAUTHBEARER, oauthbearer: {tokenFile: token}', 'tokenFile'],
    [
      'mode: service, mechanism: OAUTHBEARER, oauthbearer: {tokenEndpoint: "https://idp/token", clientId: a, clientSecret: b}',
      'tokenEndpoint',
    ],
  ] as const) {
    const config = await parse(upstream(sasl), options)
    assert.equal(config.clusters[0]?.upstream.sasl?.own.kind, kind)
    assert.ok(!JSON.stringify(config.clusters[0]?.upstream.sasl?.own).includes('canary'))
    assert.ok(config.warnings.some(({ path }) => path === there))
  }
})

test('what does not go together towards the brokers is told at once', async () => {
  const own = 'username: gateway, password: canary'
  const cases: readonly (readonly [string, readonly string[]])[] = [
    [
      'mode: service, mechanism: PLAIN',
      [
        `${there}.username: is required: the gateway's own user`,
        `${there}.password: is required: write \${env:NAME} or \${file:PATH}`,
      ],
    ],
    [
      `mode: service, mechanism: PLAIN, ${own}, credentials: mapped.json`,
      [`${there}.credentials: is not used: mode is service`],
    ],
    [
      `mode: mapped, mechanism: PLAIN, ${own}`,
      [`${there}.credentials: is required: write the file that gives each principal its username and password`],
    ],
    [
      'mode: mapped, mechanism: OAUTHBEARER, oauthbearer: {tokenFile: token}, credentials: mapped.json',
      [`${there}.mode: mapped needs PLAIN or SCRAM: a token cannot be mapped`],
    ],
    [
      'mode: service, mechanism: OAUTHBEARER, oauthbearer: {}',
      [`${there}.oauthbearer: write either tokenEndpoint, clientId and clientSecret, or tokenFile`],
    ],
  ]
  for (const [sasl, expected] of cases) assert.deepEqual(await problemsOf(upstream(sasl), options), expected)
  const [bad] = await problemsOf(
    upstream(`mode: mapped, mechanism: PLAIN, ${own}, credentials: bad-mapped.json`),
    options,
  )
  assert.ok(bad!.startsWith(`${there}.credentials: `) && !bad!.includes('canary'), bad)
})

test('D-15: passing logins on and ending them here exclude each other', async () => {
  const text = upstream('mode: passthrough, mechanism: PLAIN, username: a, password: b', {
    listener: `sasl: {mechanisms: [SCRAM-SHA-512], users: users.json}\n${tls}`,
  })
  assert.deepEqual(await problemsOf(text, options), [
    `${here}: ends logins here, and upstream.sasl.mode is passthrough: remove one of them`,
  ])
})

test('authorities of those who issue tokens are read and proven, and refused where they are not used', async () => {
  folder.write('idp.pem', root.certificate)
  folder.write('text.pem', 'not a certificate')
  const keys = (jwks: string, ca: string) =>
    listener(`mechanisms: [OAUTHBEARER], oauthbearer: {jwks: "${jwks}", issuer: i, audience: a, ca: ${ca}}`)
  const read = (await parse(keys('https://idp/keys', 'idp.pem'), options)).clusters[0]?.listeners[0]?.sasl?.oauthbearer
  assert.equal(read?.ca?.path, `${folder.path}/idp.pem`)
  assert.deepEqual(await problemsOf(keys('jwks.json', 'idp.pem'), options), [
    `${here}.oauthbearer.ca: is not used: jwks is a file`,
  ])
  const endpoint = 'tokenEndpoint: "https://idp/token", clientId: a, clientSecret: b'
  const tokens = (own: string, ca: string) =>
    upstream(`mode: service, mechanism: OAUTHBEARER, oauthbearer: {${own}, ca: ${ca}}`)
  const own = (await parse(tokens(endpoint, 'idp.pem'), options)).clusters[0]?.upstream.sasl?.own
  assert.equal(own?.kind === 'tokenEndpoint' && own.ca?.path, `${folder.path}/idp.pem`)
  assert.deepEqual(await problemsOf(tokens('tokenFile: token', 'idp.pem'), options), [
    `${there}.oauthbearer.ca: is not used with tokenFile`,
  ])
  for (const [text, place] of [
    [keys('https://idp/keys', 'text.pem'), here],
    [tokens(endpoint, 'text.pem'), there],
  ] as const) {
    const [problem, ...more] = await problemsOf(text, options)
    assert.deepEqual(more, [])
    assert.match(problem ?? '', /text\.pem: no PEM block in it/)
    assert.ok(problem?.startsWith(`${place}.oauthbearer.ca: `), problem)
  }
})
