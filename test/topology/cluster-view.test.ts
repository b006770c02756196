import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ClusterView } from '../../src/topology/cluster-view.ts'

const broker = (nodeId: number, host = `host-${nodeId}`, port = 9092) => ({ nodeId, host, port, rack: null })
const snapshot = (...brokers: ReturnType<typeof broker>[]) => ({
  clusterId: 'c',
  brokers: new Map(brokers.map(each => [each.nodeId, each])),
})

describe('ClusterView', () => {
  test('tells of changes, and of changes alone', () => {
    const view = new ClusterView()
    let news = 0
    const stop = view.onChanged(() => news++)
    assert.equal(view.replace(snapshot(broker(1))), true)
    assert.equal(view.replace(snapshot(broker(1))), false)
    assert.equal(view.replace(snapshot(broker(1), broker(2))), true)
    assert.equal(view.replace(snapshot(broker(1), broker(2, 'elsewhere'))), true)
    assert.equal(view.replace(snapshot(broker(1), broker(2, 'elsewhere', 9093))), true)
    assert.equal(view.replace(snapshot(broker(1))), true)
    assert.equal(news, 5)
    stop()
    view.replace(snapshot(broker(3)))
    assert.equal(news, 5)
  })

  test('remembers where a broker was that left, until its address belongs to another', () => {
    const view = new ClusterView()
    view.replace(snapshot(broker(1), broker(2)))
    view.replace(snapshot(broker(1)))
    assert.equal(view.broker(2)?.host, 'host-2')
    view.replace(snapshot(broker(1), broker(3, 'host-2')))
    assert.equal(view.broker(2), undefined)
    assert.equal(view.broker(3)?.host, 'host-2')
  })

  test('two brokers that swap addresses are found at their new ones', () => {
    const view = new ClusterView()
    view.replace(snapshot(broker(1, 'a'), broker(2, 'b')))
    view.replace(snapshot(broker(1, 'b'), broker(2, 'a')))
    assert.deepEqual([view.broker(1)?.host, view.broker(2)?.host], ['b', 'a'])
  })

  test('waits for a broker until it is known, or until nobody waits any more', async () => {
    const view = new ClusterView()
    view.replace(snapshot(broker(1)))
    assert.equal((await view.waitForBroker(1, AbortSignal.abort()))?.nodeId, 1)
    const abort = new AbortController()
    const waiting = [view.waitForBroker(2, abort.signal), view.waitForBroker(3, abort.signal)]
    view.replace(snapshot(broker(1), broker(2)))
    abort.abort()
    assert.deepEqual(
      (await Promise.all(waiting)).map(found => found?.nodeId),
      [2, undefined],
    )
  })

  test('waits for the first snapshot', async () => {
    const view = new ClusterView()
    const waiting = view.waitForSnapshot(new AbortController().signal)
    view.replace(snapshot(broker(1)))
    assert.equal((await waiting)?.clusterId, 'c')
    assert.equal(await new ClusterView().waitForSnapshot(AbortSignal.abort()), undefined)
  })
})
