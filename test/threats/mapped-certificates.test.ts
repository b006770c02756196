/** Clients with certificates, and a broker that sees another one for each of them, at a running gateway. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { listGroupsRequestDefaults } from '../../src/protocol/generated/list-groups-request.ts'
import { listGroupsResponseDefaults } from '../../src/protocol/generated/list-groups-response.ts'
import type { Issued } from '../../src/tls/certificate-authority.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'
import { until } from '../support/until.ts'
import { asClient, Live, newClient, newServer, root } from './live-certificates.ts'

const live = new Live()
const groups = listGroupsRequestDefaults()
const serialOf = ({ certificate }: Issued): string => new X509Certificate(certificate).serialNumber
const issued = Object.fromEntries(['alice', 'bob', 'carol', 'gateway'].map(name => [name, newClient(`CN=${name}`)]))
const behind = Object.fromEntries(['alice', 'bob'].map(name => [name, newClient(`CN=behind-${name}`)]))

let broker: FakeBroker
let gateway: TestGateway

function place(name: string, { chain, key }: Issued): object {
  live.write(`${name}.key`, key)
  live.write(`${name}.pem`, chain.join(''))
  return { certificate: `${name}.pem`, key: `${name}.key` }
}

before(async () => {
  const { chain, key } = newServer()
  const tls = { cert: chain.join(''), key, ca: root.certificate, requestCert: true, rejectUnauthorized: true }
  broker = await startFakeBroker({ tls })
  broker.answer(ApiKey.ListGroups, () => listGroupsResponseDefaults())
  live.serve(newServer())
  place('gateway', issued.gateway!)
  live.write('ca.pem', root.certificate)
  live.write(
    'map.json',
    JSON.stringify({ 'User:alice': place('alice', behind.alice!), 'User:bob': place('bob', behind.bob!) }),
  )
  const pem = async (name: string) => ({ kind: 'pem' as const, ...(await live.file(name)) })
  const common = { minVersion: 'TLSv1.2', crl: [] } as const
  gateway = await startTestGateway({
    upstream: {
      bootstrap: [broker.address],
      tls: {
        ...common,
        ca: await pem('ca.pem'),
        identity: { kind: 'pem', certificate: await live.file('gateway.pem'), key: await live.file('gateway.key') },
        certificates: await live.file('map.json'),
        serverName: 'localhost',
        dangerouslySkipVerification: false,
      },
    },
    listener: {
      tls: {
        ...common,
        identity: { kind: 'pem', certificate: await live.file('server.pem'), key: await live.file('server.key') },
        clientCa: await pem('ca.pem'),
        clientAuth: 'require',
      },
      principal: { rules: ['RULE:^CN=([^,]+).*$/$1/'] },
    },
  })
})
after(async () => {
  await gateway?.stop()
  await broker?.stop()
  await live.stop()
})

const connect = (name: string): Promise<RawClient> =>
  gateway.connect({ tls: { ...asClient(issued[name]!), ca: root.certificate, servername: 'localhost' } })
const shownBy = ({ socket }: { socket: object }) => (socket as TLSSocket).getPeerX509Certificate()?.serialNumber

test('D-15 B-36: each principal has its own certificate at the broker and its own connection; who has none is closed before it', async () => {
  const clients = await Promise.all(['alice', 'bob', 'alice'].map(connect))
  for (const client of clients) await client.ask(ApiKey.ListGroups, 4, groups)
  assert.deepEqual(broker.seen.map(shownBy), [behind.alice!, behind.bob!, behind.alice!].map(serialOf))
  assert.equal(new Set(broker.seen.map(({ socket }) => socket)).size, 3)
  assert.deepEqual([...new Set(broker.ownSeen.map(shownBy))], [serialOf(issued.gateway!)])

  const connections = await gateway.metric('vkitm_upstream_connections_total')
  const carol = await connect('carol')
  carol.send(ApiKey.ListGroups, 4, groups)
  await carol.expectClosed()
  assert.equal(carol.receivedBytes, 0)
  assert.equal(await gateway.metric('vkitm_upstream_connections_total'), connections)
  const [line] = gateway.log.lines().filter(({ principal }) => principal === 'User:carol')
  assert.deepEqual([line?.level, line?.err?.code], ['warn', 'VKITM_UPSTREAM_NO_CREDENTIAL'])
  for (const client of clients) await client.close()
})

test('C-01: the files of one principal are exchanged under an open connection, and carol is let in by a changed mapping', async () => {
  const client = await connect('alice')
  await client.ask(ApiKey.ListGroups, 4, groups)
  const [next, ofCarol] = [newClient('CN=behind-alice'), newClient('CN=behind-carol')]
  place('alice', next)
  const mapping = {
    'User:alice': { certificate: 'alice.pem', key: 'alice.key' },
    'User:carol': place('carol', ofCarol),
  }
  live.write('map.json', JSON.stringify(mapping))
  await until('it is in force', async () => {
    broker.seen.length = 0
    const newer = await connect('carol')
    const answer = newer.ask(ApiKey.ListGroups, 4, groups)
    const isIn = await answer.then(
      () => true,
      () => false,
    )
    await newer.close()
    return isIn
  })
  assert.deepEqual(broker.seen.map(shownBy), [serialOf(ofCarol)])
  const again = await connect('alice')
  await again.ask(ApiKey.ListGroups, 4, groups)
  assert.equal(shownBy(broker.seen.at(-1)!), serialOf(next))
  await client.ask(ApiKey.ListGroups, 4, groups)
  assert.equal(shownBy(broker.seen.at(-1)!), serialOf(behind.alice!))
  await client.close()
  await again.close()
})
