import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { describe, test } from 'node:test'
import { UpstreamError } from '../../src/errors.ts'
import { ClusterView } from '../../src/topology/cluster-view.ts'
import { BrokerLinks } from '../../src/upstream/broker-links.ts'
import { ByteBudget } from '../../src/wire/byte-budget.ts'
import { ReceiveBuffers } from '../../src/wire/receive-buffers.ts'

const quiet = { onWritable: () => undefined, onClosed: () => undefined }
const at = (host: string, nodeId: number) => ({ nodeId, host, port: 9092, rack: null })

function links(options: { known?: readonly [string, number][]; down?: Set<string>; unwelcome?: string } = {}) {
  const { known, down = new Set<string>(), unwelcome } = options
  const view = new ClusterView()
  const know = (brokers: readonly [string, number][]): void =>
    void view.replace({ clusterId: 'c', brokers: new Map(brokers.map(([host, id]) => [id, at(host, id)])) })
  if (known !== undefined) know(known)
  const dialled: string[] = []
  const principals: (string | undefined)[] = []
  const counts = { opened: 0, closed: 0, stale: 0 }
  const made = new BrokerLinks({
    view,
    bootstrap: ['boot-a', 'boot-b'].map(host => ({ host, port: 9092 })),
    dial: async ({ host }, principal) => {
      dialled.push(host)
      principals.push(principal)
      if (down.has(host)) throw new UpstreamError('VKITM_UPSTREAM_UNREACHABLE', `${host} is down`, { retriable: true })
      return new PassThrough() as unknown as Socket
    },
    budget: new ByteBudget(1_000),
    buffers: new ReceiveBuffers(),
    frameBytesMax: 1_000,
    knownTimeoutMs: 100,
    checkPrincipal: principal => {
      if (principal === unwelcome) throw new UpstreamError('VKITM_UPSTREAM_NO_CREDENTIAL', 'no', { retriable: false })
    },
    onOpened: () => counts.opened++,
    onClosed: () => counts.closed++,
    onStale: () => counts.stale++,
  })
  return { links: made, dialled, principals, counts, know }
}

describe('BrokerLinks', () => {
  test('a broker’s port leads to that broker, wherever it is now', async () => {
    const {
      links: made,
      dialled,
      know,
    } = links({
      known: [
        ['one', 1],
        ['two', 2],
      ],
    })
    await made.openUnauthenticated(2, quiet)
    know([
      ['one', 1],
      ['two-b', 2],
    ])
    await made.openUnauthenticated(2, quiet)
    assert.deepEqual(dialled, ['two', 'two-b'])
  })

  test('a broker is dialled as the principal, or as nobody yet; for whom none may be dialled, no broker is at fault', async () => {
    const { links: made, dialled, principals, counts } = links({ known: [['one', 1]], unwelcome: 'User:carol' })
    await made.open(1, quiet, 'User:alice')
    await made.openUnauthenticated(1, quiet)
    assert.deepEqual(principals, ['User:alice', undefined])
    await assert.rejects(made.open(undefined, quiet, 'User:carol'), { code: 'VKITM_UPSTREAM_NO_CREDENTIAL' })
    assert.equal(dialled.length, 2)
    assert.equal(counts.stale, 0)
  })

  test('before the cluster is known, the bootstrap port tries every bootstrap address', async () => {
    const { links: made, dialled } = links({ down: new Set(['boot-a']) })
    await made.openUnauthenticated(undefined, quiet)
    assert.deepEqual(dialled, ['boot-a', 'boot-b'])
  })

  test('the bootstrap port spreads over the live brokers, and asks those that failed last', async () => {
    const down = new Set(['two'])
    const { links: made, dialled } = links({
      known: [
        ['one', 1],
        ['two', 2],
        ['three', 3],
      ],
      down,
    })
    for (let turn = 0; turn < 6; turn++) await made.openUnauthenticated(undefined, quiet)
    assert.equal(dialled.filter(host => host === 'two').length, 1, 'a dead broker cost a dial more than once')
    assert.ok(dialled.includes('one') && dialled.includes('three'))
    down.clear()
    for (const host of ['one', 'three']) down.add(host)
    await made.openUnauthenticated(undefined, quiet)
    assert.equal(dialled.at(-1), 'two')
  })

  test('where no broker can be reached the last failure is told, and the view is said to be stale', async () => {
    const { links: made, counts } = links({
      known: [
        ['one', 1],
        ['two', 2],
      ],
      down: new Set(['one', 'two']),
    })
    await assert.rejects(made.openUnauthenticated(undefined, quiet), { code: 'VKITM_UPSTREAM_UNREACHABLE' })
    assert.equal(counts.stale, 2)
    assert.equal(counts.opened, 0)
  })

  test('a port whose broker is not known waits for it, and no longer than it may', async () => {
    const { links: made, dialled, know } = links()
    const opening = made.openUnauthenticated(7, quiet)
    setTimeout(() => know([['seven', 7]]), 20)
    await opening
    assert.deepEqual(dialled, ['seven'])
    // The wait itself keeps no process alive; a gateway's listeners do.
    const alive = setInterval(() => undefined, 10)
    await assert.rejects(made.openUnauthenticated(8, quiet), { code: 'VKITM_UPSTREAM_UNKNOWN_BROKER' })
    clearInterval(alive)
  })

  test('a broker that left the metadata is dialled where it was: a refusal at once is better than a wait', async () => {
    const {
      links: made,
      dialled,
      know,
    } = links({
      known: [
        ['one', 1],
        ['two', 2],
      ],
    })
    know([['one', 1]])
    await made.openUnauthenticated(2, quiet)
    assert.deepEqual(dialled, ['two'])
  })

  test('counts what it opens and what is closed', async () => {
    const { links: made, counts } = links({ known: [['one', 1]] })
    const connection = await made.openUnauthenticated(1, quiet)
    assert.deepEqual([counts.opened, counts.closed], [1, 0])
    connection.destroy()
    assert.deepEqual([counts.opened, counts.closed], [1, 1])
  })
})
