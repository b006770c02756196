import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { apiVersionsResponseDefaults } from '../../src/protocol/generated/api-versions-response.ts'
import { metadataResponseDefaults } from '../../src/protocol/generated/metadata-response.ts'
import { ClusterView } from '../../src/topology/cluster-view.ts'
import { ClusterWatch, type ClusterWatchOptions, type Questions } from '../../src/upstream/cluster-watch.ts'
import type { HostAndPort } from '../../src/upstream/dialer.ts'
import { until } from '../support/until.ts'

interface Known {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

/** A cluster of scripted brokers: which are up, and what they say of the others. */
class Cluster {
  readonly down = new Set<string>()
  known: Known[] = []
  metadataMax = 13
  readonly asked: string[] = []
  readonly versions: number[] = []
  open = 0
  /** Keeps a connection attempt waiting; the test lets it go on. */
  gate: Promise<void> = Promise.resolve()

  async connect({ host }: HostAndPort): Promise<Questions> {
    await this.gate
    if (this.down.has(host)) throw new Error(`${host} is down`)
    this.open++
    let isOpen = true
    const ask = async (key: number, version: number): Promise<unknown> => {
      if (this.down.has(host)) throw new Error(`${host} went down`)
      if (key === ApiKey.ApiVersions) {
        return {
          ...apiVersionsResponseDefaults(),
          apiKeys: [{ apiKey: ApiKey.Metadata, minVersion: 0, maxVersion: this.metadataMax }],
        }
      }
      this.asked.push(host)
      this.versions.push(version)
      return {
        ...metadataResponseDefaults(),
        clusterId: 'c',
        brokers: this.known.map(broker => ({ ...broker, rack: null })),
      }
    }
    const close = (): void => {
      if (isOpen) this.open--
      isOpen = false
    }
    return { ask: ask as Questions['ask'], isClosed: false, close }
  }
}

const one = { nodeId: 1, host: 'one', port: 1 }
const two = { nodeId: 2, host: 'two', port: 2 }
const moved = { nodeId: 2, host: 'two-b', port: 3 }

interface Watched {
  readonly watch: ClusterWatch
  readonly view: ClusterView
  readonly failed: { readonly host: string; readonly message: string }[]
  recoveries(): number
}

function watching(cluster: Cluster, bootstrap: readonly string[], options: Partial<ClusterWatchOptions> = {}): Watched {
  const view = new ClusterView()
  const failed: { host: string; message: string }[] = []
  let recovered = 0
  const watch = new ClusterWatch({
    view,
    bootstrap: bootstrap.map(host => ({ host, port: 9092 })),
    connect: target => cluster.connect(target),
    refreshMs: 10,
    onFailed: (error, { host }) => failed.push({ host, message: (error as Error).message }),
    onRecovered: () => recovered++,
    ...options,
  })
  watch.start()
  return { watch, view, failed, recoveries: () => recovered }
}

const ids = (view: ClusterView): string =>
  [...(view.snapshot?.brokers.values() ?? [])].map(({ nodeId, host }) => `${nodeId}=${host}`).join(' ')

describe('ClusterWatch', () => {
  test('follows brokers that join, move and leave, over one connection', async () => {
    const cluster = new Cluster()
    cluster.known = [one]
    const { watch, view } = watching(cluster, ['boot'])
    await until('one', () => ids(view) === '1=one')
    cluster.known = [one, two]
    await until('two joined', () => ids(view) === '1=one 2=two')
    cluster.known = [one, moved]
    await until('two moved', () => ids(view) === '1=one 2=two-b')
    cluster.known = [moved]
    await until('one left', () => ids(view) === '2=two-b')
    assert.equal(cluster.open, 1)
    assert.ok(cluster.asked.every(host => host === 'boot'))
    watch.stop()
    assert.equal(cluster.open, 0)
  })

  test('tries every bootstrap address without delay, then waits longer and longer', async () => {
    const cluster = new Cluster()
    for (const host of ['a', 'b', 'c']) cluster.down.add(host)
    const started = performance.now()
    const { watch, failed, recoveries } = watching(cluster, ['a', 'b', 'c'])
    await until('a round', () => failed.length >= 3)
    assert.ok(performance.now() - started < 5_000)
    assert.deepEqual(
      failed.slice(0, 3).map(({ host }) => host),
      ['a', 'b', 'c'],
    )
    assert.ok(watch.failure instanceof Error)
    cluster.known = [one]
    cluster.down.delete('b')
    await until('it heals', () => watch.failure === undefined)
    assert.equal(recoveries(), 1)
    watch.stop()
  })

  test('a broker that dies is replaced by the next one, and none of the dead is asked for ever', async () => {
    const cluster = new Cluster()
    cluster.known = [one, two]
    const { watch, view } = watching(cluster, ['boot'])
    await until('known', () => ids(view) !== '')
    cluster.down.add('boot')
    cluster.asked.length = 0
    await until('somebody else answers', () => cluster.asked.length > 0)
    assert.notEqual(cluster.asked[0], 'boot')
    watch.stop()
    assert.equal(cluster.open, 0)
  })

  test('names the broker that failed, not the one that is next', async () => {
    const cluster = new Cluster()
    cluster.known = [one, two]
    const { watch, view, failed } = watching(cluster, ['boot'])
    await until('known', () => ids(view) !== '')
    cluster.down.add('boot')
    await until('the failure is told', () => failed.length > 0)
    assert.deepEqual(failed[0], { host: 'boot', message: 'boot went down' })
    watch.stop()
  })

  test('a broker that knows nobody yet is no news', async () => {
    const cluster = new Cluster()
    cluster.known = [one]
    const { watch, view, failed } = watching(cluster, ['boot'])
    await until('known', () => ids(view) === '1=one')
    cluster.known = []
    await until('it is a failure', () => failed.length > 0)
    assert.equal(ids(view), '1=one')
    watch.stop()
  })

  test('asks in the newest version that both know, and refuses a broker older than version 1', async () => {
    const cluster = new Cluster()
    cluster.known = [one]
    cluster.metadataMax = 0
    const { watch, failed } = watching(cluster, ['boot'])
    await until('refused', () => failed.length > 0)
    assert.equal(cluster.open, 0)
    cluster.metadataMax = 4
    await until('asked', () => cluster.versions.length > 0)
    assert.equal(cluster.versions[0], 4)
    watch.stop()
  })

  test('asks at once when somebody saw something new, but never twice at a time', async () => {
    const cluster = new Cluster()
    cluster.known = [one]
    const { watch, view } = watching(cluster, ['boot'], { refreshMs: 3_600_000 })
    await until('known', () => ids(view) === '1=one')
    cluster.known = [two]
    watch.refreshSoon()
    watch.refreshSoon()
    await until('known', () => ids(view) === '2=two')
    assert.equal(cluster.asked.length, 2)
    watch.stop()
  })

  test('a question that fails closes its connection', async () => {
    const cluster = new Cluster()
    cluster.known = [one]
    const connect = async (target: HostAndPort): Promise<Questions> => {
      const questions = await cluster.connect(target)
      return { ...questions, ask: () => Promise.reject(new Error('no answer')) }
    }
    const { watch, failed } = watching(cluster, ['a', 'b'], { connect })
    await until('both failed', () => failed.length >= 2)
    watch.stop()
    assert.equal(cluster.open, 0)
  })

  test('a connection that is there only after the stop is closed', async () => {
    const cluster = new Cluster()
    cluster.known = [one]
    let goOn = (): void => undefined
    cluster.gate = new Promise(resolve => {
      goOn = resolve
    })
    const { watch, view } = watching(cluster, ['boot'])
    watch.stop()
    goOn()
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(cluster.open, 0)
    assert.equal(view.snapshot, undefined)
  })
})
