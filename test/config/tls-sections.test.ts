import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { chmodSync, mkdirSync } from 'node:fs'
import { after, test } from 'node:test'
import { createIssuing, createRoot, issueClient, issueServer } from '../../src/tls/certificate-authority.ts'
import { parse, problemsOf, workFolder, yamlWith } from './fixture.ts'

const now = new Date('2026-06-01T00:00:00Z')
const folder = workFolder()
after(folder.remove)

const root = createRoot({ subject: 'CN=Root', now })
const issuing = createIssuing(root, { subject: 'CN=Issuing', now })
const server = issueServer(issuing, { names: ['kafka.example.com'], now })
const client = issueClient(issuing, { subject: 'CN=gateway', now })
folder.write('ca.pem', root.certificate)
folder.write('server.pem', server.chain.join(''))
folder.write('server.key', server.key)
folder.write('client.pem', client.chain.join(''))
folder.write('client.key', client.key)
folder.write(
  'locked.key',
  createPrivateKey(server.key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'canary' }),
)
folder.write('text.pem', 'not a certificate')
mkdirSync(`${folder.path}/folder`)

const options = { folder: folder.path, now }
const listener = (tls: string) => yamlWith({ listener: `tls: {${tls}}` })
const upstream = (tls: string) => yamlWith({ upstream: `tls: {${tls}}` })
const listenerPath = 'clusters[0].listeners[0].tls'
const upstreamPath = 'clusters[0].upstream.tls'

test('certificates and keys come with their contents and absolute paths', async () => {
  const { clusters } = await parse(
    yamlWith({
      listener:
        'tls: {certificate: server.pem, key: server.key, clientCa: ca.pem, clientAuth: require, minVersion: TLSv1.3}',
      upstream: 'tls: {ca: ca.pem, certificate: client.pem, key: client.key, serverName: Kafka.internal}',
    }),
    options,
  )
  const tls = clusters[0]?.listeners[0]?.tls
  assert.equal(tls?.clientAuth, 'require')
  assert.equal(tls?.minVersion, 'TLSv1.3')
  const { access, ...clientCa } = tls!.clientCa!
  assert.deepEqual(clientCa, {
    kind: 'pem',
    path: `${folder.path}/ca.pem`,
    content: Buffer.from(root.certificate),
  })
  assert.equal(access!.mode & 0o777, 0o600)
  assert.ok(tls?.identity.kind === 'pem')
  assert.equal(tls.identity.key.path, `${folder.path}/server.key`)
  assert.equal(tls.identity.key.content.toString(), server.key)
  assert.equal(clusters[0]?.upstream.tls?.serverName, 'kafka.internal')
  assert.equal(clusters[0]?.upstream.tls?.identity?.kind, 'pem')
})

test('an empty upstream section means TLS with the roots of Node', async () => {
  const { clusters } = await parse(upstream(''), options)
  assert.deepEqual(clusters[0]?.upstream.tls, {
    minVersion: 'TLSv1.2',
    crl: [],
    dangerouslySkipVerification: false,
    keyPermissions: 'strict',
  })
})

test('an encrypted key takes its password from the environment', async () => {
  const text = listener('certificate: server.pem, key: locked.key, keyPassword: "${env:KEY}"')
  const { clusters } = await parse(text, { ...options, env: { KEY: 'canary' } })
  const identity = clusters[0]?.listeners[0]?.tls?.identity
  assert.ok(identity?.kind === 'pem')
  assert.equal(identity.keyPassword?.reveal(), 'canary')
})

const cases: readonly (readonly [name: string, text: string, problems: readonly string[]])[] = [
  [
    'a listener without a certificate is told',
    listener('key: server.key'),
    [`${listenerPath}.certificate: is required: write the file of the certificate that clients see`],
  ],
  [
    'a certificate without its key is told',
    listener('certificate: server.pem'),
    [`${listenerPath}.key: is required: write the file of the certificate's private key`],
  ],
  [
    'files that cannot be read are named with their full paths, all at once',
    listener('certificate: none.pem, key: folder, clientCa: none/ca.pem, clientAuth: request'),
    [
      `${listenerPath}.certificate: cannot read ${folder.path}/none.pem: there is no such file; relative paths start at ${folder.path}`,
      `${listenerPath}.key: cannot read ${folder.path}/folder: it is a directory; name the file in it`,
      `${listenerPath}.clientCa: cannot read ${folder.path}/none/ca.pem: there is no such file; relative paths start at ${folder.path}`,
    ],
  ],
  [
    'a key of another certificate is refused',
    listener('certificate: server.pem, key: client.key'),
    [
      `${listenerPath}.certificate: ${folder.path}/client.key: not the private key of the first certificate in ${folder.path}/server.pem`,
    ],
  ],
  [
    'a client certificate cannot serve, nor a server certificate ask',
    yamlWith({
      listener: 'tls: {certificate: client.pem, key: client.key}',
      upstream: 'tls: {certificate: server.pem, key: server.key}',
    }),
    [
      `${listenerPath}.certificate: ${folder.path}/client.pem: not issued for use as a server (extended key usage 1.3.6.1.5.5.7.3.2)`,
      `${upstreamPath}.certificate: ${folder.path}/server.pem: not issued for use as a client (extended key usage 1.3.6.1.5.5.7.3.1)`,
    ],
  ],
  [
    'an encrypted key without a password says which line is missing',
    listener('certificate: server.pem, key: locked.key'),
    [`${listenerPath}.certificate: ${folder.path}/locked.key: it is encrypted: give its password as keyPassword`],
  ],
  [
    'a password for a key that needs none is not used',
    listener('certificate: server.pem, key: server.key, keyPassword: x'),
    [`${listenerPath}.keyPassword: is not used: the key is not encrypted; remove it`],
  ],
  [
    'a file without a certificate is told for what it is',
    upstream('ca: text.pem'),
    [`${upstreamPath}.ca: ${folder.path}/text.pem: no PEM block in it`],
  ],
  [
    'asking for client certificates needs the authorities that sign them',
    listener('certificate: server.pem, key: server.key, clientAuth: require'),
    [
      `${listenerPath}.clientCa: is required: clientAuth is require: write the file of the authorities that sign clients' certificates`,
    ],
  ],
  [
    'authorities without clientAuth would only seem to check clients',
    listener('certificate: server.pem, key: server.key, clientCa: ca.pem'),
    [`${listenerPath}.clientCa: is not used without clientAuth: write clientAuth: require (or request)`],
  ],
  [
    'a key without a certificate is not used',
    upstream('key: client.key'),
    [`${upstreamPath}.key: is not used: there is no certificate; remove it`],
  ],
  [
    'a PKCS#12 store needs its password',
    listener('certificate: {pkcs12: server.pem}, key: server.key, keyPassword: x'),
    [`${listenerPath}.certificate.password: is required: write password: \${env:NAME}`],
  ],
  [
    'authorities are not used where verification is skipped, and lists need authorities',
    yamlWith({ upstream: 'tls: {ca: ca.pem, dangerouslySkipVerification: true}' }),
    [`${upstreamPath}.ca: is not used with dangerouslySkipVerification: remove one of them`],
  ],
]

for (const [name, text, problems] of cases) {
  test(name, async () => {
    const found = await problemsOf(text, options)
    assert.deepEqual([...found].sort(), [...problems].sort())
  })
}

test('a certificate that has expired, or is not valid yet, is refused by the date it is given', async () => {
  const text = listener('certificate: server.pem, key: server.key')
  assert.match((await problemsOf(text, { ...options, now: new Date('2031-06-02') })).join(), /expired on .*: renew it/)
  assert.match(
    (await problemsOf(text, { ...options, now: new Date('2020-01-01') })).join(),
    /is not valid before .*: check the clock or wait/,
  )
})

test('a file that the user may not read is told so', {
  skip: process.getuid?.() === 0 ? 'root reads everything' : false,
}, async () => {
  chmodSync(folder.write('closed.key', server.key), 0)
  const problems = await problemsOf(listener('certificate: server.pem, key: closed.key'), options)
  assert.deepEqual(problems, [
    `${listenerPath}.key: cannot read ${folder.path}/closed.key: permission denied; let the user that runs vkitm read it`,
  ])
})

test('authorities beside an outspoken clientAuth: none are a warning', async () => {
  const { warnings } = await parse(
    listener('certificate: server.pem, key: server.key, clientCa: ca.pem, clientAuth: none'),
    options,
  )
  assert.ok(
    warnings.some(
      ({ path, message }) => path === `${listenerPath}.clientCa` && message === 'is not used: clientAuth is none',
    ),
  )
})

test('a certificate for each principal is read and proven with the rest, and needs the gateway’s own beside it', async () => {
  const own = 'certificate: client.pem, key: client.key'
  folder.write('mapped.json', JSON.stringify({ 'User:alice': { certificate: 'client.pem', key: 'client.key' } }))
  const { clusters } = await parse(upstream(`ca: ca.pem, ${own}, certificates: mapped.json`), options)
  assert.equal(clusters[0]?.upstream.tls?.certificates?.path, `${folder.path}/mapped.json`)
  assert.deepEqual(await problemsOf(upstream('ca: ca.pem, certificates: mapped.json'), options), [
    `${upstreamPath}.certificate: is required: write the gateway's own: it asks for metadata as itself, whoever its clients are`,
  ])
  folder.write('server.json', JSON.stringify({ 'User:alice': { certificate: 'server.pem', key: 'client.key' } }))
  for (const [name, told] of [
    ['server.json', /"User:alice": .*client\.key: not the private key/],
    ['text.pem', /is no JSON object: write \{"User:alice"/],
    ['nowhere.json', /there is no such file/],
  ] as const) {
    const [problem, ...more] = await problemsOf(upstream(`ca: ca.pem, ${own}, certificates: ${name}`), options)
    assert.deepEqual(more, [])
    assert.match(problem ?? '', told)
    assert.ok(problem?.startsWith(`${upstreamPath}.certificates: `), problem)
  }
  const passed = 'sasl: {mode: passthrough, mechanism: PLAIN, username: gateway, password: secret}'
  const both = yamlWith({ upstream: `tls: {ca: ca.pem, ${own}, certificates: mapped.json}\n${passed}` })
  assert.deepEqual(await problemsOf(both, options), [
    `${upstreamPath}.certificates: is not used: with sasl.mode passthrough brokers say who a client is`,
  ])
})
