import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, mock, test } from 'node:test'
import { readWithAccess } from '../../src/config/bounded-read.ts'
import { ListenerTls } from '../../src/gateway/listener-tls.ts'
import { identityOf, server } from '../tls/authorities.ts'
import { closeAll, serve, visit } from '../tls/connections.ts'
import { trusting } from '../tls/listener.ts'

const folder = mkdtempSync(join(tmpdir(), 'vkitm-listener-tls-'))
after(closeAll)
after(() => rmSync(folder, { recursive: true, force: true }))

async function listenerConfig() {
  const { certificate, key } = identityOf(server)
  const file = async (name: string, content: Buffer) => {
    const path = join(folder, name)
    writeFileSync(path, content, { mode: 0o600 })
    return { path, ...(await readWithAccess(path)) }
  }
  const identity = {
    kind: 'pem' as const,
    certificate: await file('a.pem', certificate.content),
    key: await file('a.key', key.content),
  }
  const ports = { first: 1, count: 1, firstId: 0 }
  const bind = { host: 'localhost', port: 0 }
  return {
    name: 'clients',
    bind,
    advertise: bind,
    expose: 'ports' as const,
    brokerPorts: ports,
    advertiseBrokerPorts: ports,
    principal: { rules: [] },
    tls: { identity, clientAuth: 'none' as const, minVersion: 'TLSv1.2' as const, crl: [] },
  }
}

test('C-11: the keys of tickets are new every twelve hours, and kept in between whatever is reloaded', async () => {
  const config = await listenerConfig()
  const given: Buffer[] = []
  mock.timers.enable({ apis: ['setInterval'] })
  const tls = new ListenerTls(config, {
    handshakeTimeoutMs: 10_000,
    onReplaced: () => undefined,
    onTicketKeys: keys => given.push(keys),
  })
  mock.timers.tick(11 * 3_600_000)
  assert.equal(given.length, 0)
  const first = tls.current.contextOptions.ticketKeys
  await tls.reload()
  assert.deepEqual(tls.current.contextOptions.ticketKeys, first)
  mock.timers.tick(2 * 3_600_000)
  assert.equal(given.length, 1)
  assert.equal(given[0]!.length, 48)
  assert.notDeepEqual(given[0], first)
  await tls.reload()
  assert.deepEqual(tls.current.contextOptions.ticketKeys, given[0])
  tls.close()
  mock.timers.tick(24 * 3_600_000)
  assert.equal(given.length, 1)
  mock.timers.reset()
})

test('C-11: a ticket of keys that are gone costs one full handshake and no failure', async () => {
  const tls = new ListenerTls(await listenerConfig(), {
    handshakeTimeoutMs: 10_000,
    onReplaced: () => undefined,
    onTicketKeys: () => undefined,
  })
  const old = await serve(tls.current.serverOptions)
  const options = { ...trusting, port: old.port }
  const { session } = await visit(options)
  assert.equal((await visit({ ...options, session: session! })).resumed, true)
  tls.renewTicketKeys()
  // As the listener does it at `onTicketKeys`; here by a server with the new context.
  const renewed = await serve({ ...tls.current.serverOptions, ...tls.current.contextOptions })
  const full = await visit({ ...trusting, port: renewed.port, session: session! })
  assert.deepEqual([full.greeting, full.resumed], ['hello', false])
  const again = await visit({ ...trusting, port: renewed.port, session: full.session! })
  assert.equal(again.resumed, true)
  tls.close()
})
