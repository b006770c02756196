/** Clients behind a load balancer that says who they are: whatever comes with its header in one read is the client's. */
import assert from 'node:assert/strict'
import { connect, createServer, type Server } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { listGroupsRequestDefaults } from '../../src/protocol/generated/list-groups-request.ts'
import { listGroupsResponseDefaults } from '../../src/protocol/generated/list-groups-response.ts'
import { usersOf } from '../sasl/scram-peers.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import { connectRaw } from '../support/raw-client.ts'
import { logIn, scram } from '../support/sasl.ts'
import { startTestGateway, type TestGateway, type TestGatewayOptions } from '../support/test-gateway.ts'
import { newServer, root } from '../threats/live-certificates.ts'

const header = Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1234 9092\r\n')
const groups = listGroupsRequestDefaults()

/** How the header and the client's first bytes reach the gateway: what of them is written at once. */
const ways: Readonly<Record<string, (first: Buffer) => readonly Buffer[]>> = {
  'in one read': first => [Buffer.concat([header, first])],
  apart: first => [header, first],
  'with a few bytes of the first request': first => [Buffer.concat([header, first.subarray(0, 7)]), first.subarray(7)],
  'cut in the header': first => [header.subarray(0, 9), Buffer.concat([header.subarray(9), first])],
}

async function balancer(gatewayPort: number, way: (first: Buffer) => readonly Buffer[]): Promise<Server> {
  const server = createServer({ pauseOnConnect: true }, client => {
    const gateway = connect({ port: gatewayPort, host: '127.0.0.1', noDelay: true })
    for (const [one, other] of [
      [client, gateway],
      [gateway, client],
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
    client.once('data', async first => {
      client.pause()
      for (const part of way(first)) {
        gateway.write(part)
        await sleep(30)
      }
      client.pipe(gateway)
      gateway.pipe(client)
    })
    client.resume()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

describe('behind the PROXY protocol', () => {
  let broker: FakeBroker
  before(async () => {
    broker = await startFakeBroker()
    broker.answer(ApiKey.ListGroups, () => listGroupsResponseDefaults())
  })
  after(() => broker.stop())

  async function listeners(): Promise<Readonly<Record<string, TestGatewayOptions['listener']>>> {
    const users = await usersOf({ alice: 'her-password' })
    const { chain, key } = newServer()
    const file = (path: string, text: string) => ({ path, content: Buffer.from(text) })
    const identity = {
      kind: 'pem',
      certificate: file('gateway.pem', chain.join('')),
      key: file('gateway.key', key),
    } as const
    return {
      plaintext: {},
      TLS: { tls: { identity, clientAuth: 'none', minVersion: 'TLSv1.2', crl: [] } },
      SASL: { sasl: { mechanisms: ['SCRAM-SHA-256'], users: file('users.json', users.toText()) } },
    }
  }

  test('a client is served however its first bytes come', async () => {
    for (const [what, listener] of Object.entries(await listeners())) {
      const gateway: TestGateway = await startTestGateway({
        upstream: { bootstrap: [broker.address] },
        listener: { ...listener, proxyProtocol: { trusted: [{ address: '127.0.0.0', prefix: 8, family: 'ipv4' }] } },
      })
      for (const [how, way] of Object.entries(ways)) {
        const server = await balancer(gateway.port, way)
        const { port } = server.address() as { port: number }
        const tls = what === 'TLS' ? { ca: root.certificate, servername: 'localhost' } : undefined
        const client = await connectRaw({ port, ...(tls && { tls }) })
        if (what === 'SASL') assert.equal((await logIn(client, scram('alice', 'her-password'))).errorCode, 0)
        for (let at = 0; at < 3; at++) {
          const answer = await client
            .ask(ApiKey.ListGroups, 4, groups)
            .catch(() => assert.fail(`${what}, ${how}: answer ${at}`))
          assert.deepEqual(answer.groups, [])
        }
        await client.close()
        server.close()
      }
      await gateway.stop()
    }
  })
})
