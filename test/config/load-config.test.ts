import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse, yamlWith } from './fixture.ts'

test('the smallest configuration gets every default of the contract', async () => {
  const config = await parse(yamlWith())
  assert.deepEqual(JSON.parse(JSON.stringify(config)), {
    file: '/etc/vkitm/vkitm.yaml',
    readAt: config.readAt.toISOString(),
    clusters: [
      {
        name: 'main',
        upstream: { bootstrap: [{ host: '10.0.0.1', port: 9092 }] },
        listeners: [
          {
            name: 'clients',
            bind: { host: '127.0.0.1', port: 9092 },
            advertise: { host: '127.0.0.1', port: 9092 },
            expose: 'ports',
            brokerPorts: { first: 9100, count: 100, firstId: 0 },
            advertiseBrokerPorts: { first: 9100, count: 100, firstId: 0 },
            principal: { from: 'subject', rules: ['DEFAULT'] },
          },
        ],
        policy: 'none',
      },
    ],
    admin: { bind: { host: '127.0.0.1', port: 9644 } },
    limits: {
      connections: Math.floor((20_000 - 64 - 102) / 2),
      connectionsPerIp: Math.floor((20_000 - 64 - 102) / 2),
      acceptPerSecond: 1000,
      acceptPerSecondPerIp: 1000,
      frameBytes: 104_857_600,
      preAuthFrameBytes: 65_536,
      preAuthRequests: 10,
      requestItems: 10_000,
      inFlight: 64,
      bufferedBytes: 2 * 1024 ** 3,
      handshakeTimeout: 10_000,
      firstFrameTimeout: 10_000,
      frameTimeout: 30_000,
      idleTimeout: 600_000,
      writeStall: 60_000,
      connectTimeout: 5_000,
      drainTimeout: 15_000,
      reauthTimeout: 30_000,
    },
    log: { level: 'info' },
    audit: { allows: false, required: false },
    warnings: [{ path: 'clusters[0].policy', message: "is none: only the brokers' own ACLs apply" }],
  })
})

test('JSON is read like YAML', async () => {
  const json = JSON.stringify(
    {
      clusters: [
        {
          name: 'main',
          upstream: { bootstrap: ['[fd00::0:1]:9092'] },
          listeners: [
            { name: 'clients', bind: '[::1]:0', expose: 'ports', brokerPorts: { first: 9100, count: 3, firstId: 1 } },
          ],
          policy: 'none',
        },
      ],
      admin: 'none',
    },
    null,
    '\t',
  )
  const config = await parse(json)
  assert.deepEqual(config.clusters[0]?.upstream.bootstrap, [{ host: 'fd00::1', port: 9092 }])
  assert.deepEqual(config.clusters[0]?.listeners[0]?.bind, { host: '::1', port: 0 })
  assert.deepEqual(config.clusters[0]?.listeners[0]?.brokerPorts, { first: 9100, count: 3, firstId: 1 })
  assert.equal(config.admin, undefined)
})

test('everything is frozen, all the way down', async () => {
  const config = await parse(yamlWith())
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return
    assert.ok(Object.isFrozen(value), JSON.stringify(value))
    Object.values(value).forEach(walk)
  }
  walk(config)
})

test('sizes and durations are read in the units people write', async () => {
  const { limits } = await parse(
    yamlWith({
      root: 'limits: {frameBytes: 1GiB, preAuthFrameBytes: 2048, idleTimeout: 5m, writeStall: 750ms, drainTimeout: 20000, connectTimeout: "1h"}',
    }),
  )
  assert.equal(limits.frameBytes, 1024 ** 3)
  assert.equal(limits.preAuthFrameBytes, 2048)
  assert.equal(limits.idleTimeout, 300_000)
  assert.equal(limits.writeStall, 750)
  assert.equal(limits.drainTimeout, 20_000)
  assert.equal(limits.connectTimeout, 3_600_000)
})

test('limits per address follow the global ones unless they are given', async () => {
  const { limits } = await parse(yamlWith({ root: 'limits: {connections: 500, acceptPerSecond: 7}' }))
  assert.equal(limits.connectionsPerIp, 500)
  assert.equal(limits.acceptPerSecondPerIp, 7)
  const own = await parse(
    yamlWith({ root: 'limits: {connections: 500, connectionsPerIp: 5, acceptPerSecondPerIp: 2}' }),
  )
  assert.equal(own.limits.connectionsPerIp, 5)
  assert.equal(own.limits.acceptPerSecondPerIp, 2)
})

test('connections stop at 10,000 however many descriptors there are', async () => {
  const { limits } = await parse(yamlWith(), { machine: { descriptors: Number.POSITIVE_INFINITY, memoryBytes: 1 } })
  assert.equal(limits.connections, 10_000)
})

test('a machine with few descriptors serves few clients and says so', async () => {
  const { limits, warnings } = await parse(yamlWith(), { machine: { descriptors: 256, memoryBytes: 1 } })
  assert.equal(limits.connections, 45)
  assert.match(
    warnings.map(({ path, message }) => `${path} ${message}`).join(),
    /limits\.connections is 45, all the descriptor limit/,
  )
  const asked = await parse(yamlWith({ root: 'limits: {connections: 400}' }), {
    machine: { descriptors: 256, memoryBytes: 1 },
  })
  assert.equal(asked.limits.connections, 400)
  assert.match(asked.warnings.map(({ message }) => message).join(), /is 400, but the descriptor limit is enough for 45/)
})

test('hosts that metadata may send us to are names, suffixes and networks', async () => {
  const { clusters } = await parse(
    yamlWith({ upstream: 'allow: ["*.Internal", broker.Example.com, 10.0.0.0/8, 10.1.2.3, "fd00:0::/8"]' }),
  )
  assert.deepEqual(clusters[0]?.upstream.allow, [
    { kind: 'suffix', suffix: '.internal' },
    { kind: 'name', name: 'broker.example.com' },
    { kind: 'network', address: '10.0.0.0', prefix: 8, family: 'ipv4' },
    { kind: 'network', address: '10.1.2.3', prefix: 32, family: 'ipv4' },
    { kind: 'network', address: 'fd00::', prefix: 8, family: 'ipv6' },
  ])
})

test('advertised broker ports keep the count and the first id of the bound ones', async () => {
  const { clusters } = await parse(
    yamlWith({ listener: 'advertise: kafka.example.com:19092\nadvertiseBrokerPorts: {first: 19100}' }),
  )
  assert.deepEqual(clusters[0]?.listeners[0]?.advertiseBrokerPorts, { first: 19_100, count: 100, firstId: 0 })
  const ranged = await parse(yamlWith({ listener: 'advertiseBrokerPorts: 19100-19199' }))
  assert.deepEqual(ranged.clusters[0]?.listeners[0]?.advertiseBrokerPorts, { first: 19_100, count: 100, firstId: 0 })
})

test('principal rules and PROXY sources are handed on', async () => {
  const { clusters, warnings } = await parse(
    yamlWith({
      listener: 'principal: {rules: ["RULE:^CN=([^,]+).*$/$1/L", DEFAULT]}\nproxyProtocol: {trusted: [10.0.0.0/8]}',
    }),
  )
  assert.deepEqual(clusters[0]?.listeners[0]?.principal.rules, ['RULE:^CN=([^,]+).*$/$1/L', 'DEFAULT'])
  assert.deepEqual(clusters[0]?.listeners[0]?.proxyProtocol?.trusted, [
    { address: '10.0.0.0', prefix: 8, family: 'ipv4' },
  ])
  assert.ok(warnings.some(({ path, message }) => path.endsWith('.principal') && message.startsWith('is not used')))
})

test('anchors and merge keys share what repeats', async () => {
  const { clusters } = await parse(`
clusters:
  - name: main
    upstream: {bootstrap: [10.0.0.1:9092]}
    listeners:
      - &base {name: a, bind: "127.0.0.1:1", expose: ports, brokerPorts: 10-20}
      - <<: *base
        name: b
        bind: 127.0.0.1:2
        brokerPorts: 30-40
    policy: none
`)
  assert.deepEqual(
    clusters[0]?.listeners.map(({ name, expose }) => [name, expose]),
    [
      ['a', 'ports'],
      ['b', 'ports'],
    ],
  )
})
