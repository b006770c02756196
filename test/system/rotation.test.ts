/** A listener's certificate rotated a hundred times through its files, with a thousand connections open and more coming. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { metadataRequestDefaults } from '../../src/protocol/generated/metadata-request.ts'
import type { RawClient } from '../support/raw-client.ts'
import { Live, newServer, now, root } from '../threats/live-certificates.ts'

const rotations = 100
const connections = 1_000
const askers = 8
const withinMs = 2_000
const dayMs = 86_400_000
const metadata = { ...metadataRequestDefaults(), topics: [] }

describe('a hundred rotations under load', { timeout: 600_000 }, () => {
  const live = new Live()
  const clients: RawClient[] = []
  before(async () => {
    live.serve(newServer())
    await live.start({}, {}, { connections: 2 * connections, connectionsPerIp: 2 * connections })
    for (let at = 0; at < connections; at++) {
      clients.push(await live.gateway.connect({ tls: { ca: root.certificate, servername: 'localhost' } }))
      // A client that asked nothing would be closed for its silence.
      await clients.at(-1)!.ask(ApiKey.Metadata, 12, metadata)
    }
  })
  after(async () => {
    for (const client of clients) client.socket.destroy()
    await live.stop()
  })

  it('C-01, C-02: 0 connections dropped, 0 handshakes failed, each certificate shown within two seconds', async t => {
    const load = startLoad()
    const took: number[] = []
    try {
      for (let round = 0; round < rotations; round++) {
        if (round % 10 === 9) await spoil(round)
        const next = newServer()
        live.serve(next)
        took.push(await untilShown(new X509Certificate(next.certificate).serialNumber))
      }
    } finally {
      await load.stop()
    }
    const { handshakes, answers, failures } = load.seen
    t.diagnostic(
      `${handshakes} handshakes, ${answers} answers, a certificate was shown after at most ${Math.round(Math.max(...took))} ms`,
    )
    assert.deepEqual(failures, [])
    assert.equal(clients.filter(client => client.isClosed).length, 0)
    assert.ok(Math.max(...took) < withinMs, `${Math.max(...took)} ms`)
    assert.ok(handshakes > rotations && answers > rotations)
    for (const client of clients) await client.ask(ApiKey.Metadata, 12, metadata)
    const bad = await live.gateway.metric('vkitm_reload_failed_total')
    assert.ok(bad >= rotations / 10, `${bad} bad files were noticed`)
    for (const client of clients) await client.close()
  })

  /** C-02: what is written by halves, mismatched or expired is not shown. */
  async function spoil(round: number): Promise<void> {
    const before = await live.gateway.metric('vkitm_reload_failed_total')
    const bad = newServer({ now: new Date(now.getTime() - 5 * dayMs), days: 1 })
    if (round % 30 === 9) live.write('server.pem', bad.chain.join('').slice(0, 600))
    else if (round % 30 === 19) live.write('server.key', bad.key)
    else live.serve(bad)
    while ((await live.gateway.metric('vkitm_reload_failed_total')) === before) await delay(20)
  }

  async function untilShown(serial: string): Promise<number> {
    const started = performance.now()
    for (;;) {
      const shaken = await live.shake()
      shaken.socket.destroy()
      if (shaken.serial === serial) return performance.now() - started
      if (performance.now() - started > 20_000) throw new Error('the new certificate was never shown')
      await delay(20)
    }
  }

  function startLoad() {
    let isOver = false
    const seen = { handshakes: 0, answers: 0, failures: [] as string[] }
    const asking = clients.slice(0, askers).map(async client => {
      while (!isOver) {
        await client.ask(ApiKey.Metadata, 12, metadata).catch(error => seen.failures.push(String(error)))
        seen.answers++
        await delay(2)
      }
    })
    const shaking = Array.from({ length: 2 }, async () => {
      while (!isOver) {
        const { socket, error } = await live.shake()
        if (error !== undefined) seen.failures.push(String(error))
        socket.destroy()
        seen.handshakes++
        await delay(2)
      }
    })
    return {
      seen,
      async stop() {
        isOver = true
        await Promise.all([...asking, ...shaking])
      },
    }
  }
})
