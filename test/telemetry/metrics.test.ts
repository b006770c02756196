import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Metrics } from '../../src/telemetry/metrics.ts'

const names = ['Produce', 'Fetch', 'ListOffsets', 'Metadata']
const create = () => new Metrics({ apiName: key => names[key], processMetrics: false })

async function samples(metrics: Metrics): Promise<Map<string, number>> {
  const lines = (await metrics.text()).split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

test('requests are counted by API and version', async () => {
  const metrics = create()
  for (let index = 0; index < 3; index++) metrics.request(0, 12)
  metrics.request(1, 0)
  const found = await samples(metrics)
  assert.equal(found.get('vkitm_requests_total{api="Produce",version="12"}'), 3)
  assert.equal(found.get('vkitm_requests_total{api="Fetch",version="0"}'), 1)
  assert.equal([...found.keys()].filter(key => key.startsWith('vkitm_requests_total')).length, 2)
})

test('A-26: whatever keys, versions and causes come from the wire, labels stay few', async () => {
  const metrics = create()
  for (let key = -40_000; key < 40_000; key += 7) {
    metrics.request(key, key)
    metrics.unknownTags(key, 'request')
    metrics.refused(key, 'no row')
    metrics.gatewayMs(key, 1)
  }
  for (let index = 0; index < 10_000; index++) metrics.error(`CAUSE_${index}`)
  const found = await samples(metrics)
  const count = (name: string) => [...found.keys()].filter(key => key.startsWith(name)).length
  assert.ok(count('vkitm_requests_total') <= 5 * 33, `${count('vkitm_requests_total')} series`)
  assert.ok(count('vkitm_unknown_tags_total') <= 5)
  assert.ok(count('vkitm_refused_total') <= 5)
  assert.equal(count('vkitm_errors_total'), 128)
  assert.equal(found.get('vkitm_errors_total{cause="other"}'), 10_000 - 127)
  const all = [...found]
    .filter(([key]) => key.startsWith('vkitm_requests_total'))
    .reduce((sum, [, value]) => sum + value, 0)
  assert.equal(all, Math.ceil(80_000 / 7))
})

test('connections of a listener are the opened less the closed', async () => {
  const metrics = create()
  const clients = metrics.listener('clients')
  assert.equal(metrics.listener('clients'), clients)
  clients.connectionOpened()
  clients.connectionOpened()
  clients.connectionClosed()
  metrics.upstreamOpened()
  metrics.upstreamOpened()
  metrics.upstreamClosed()
  const found = await samples(metrics)
  assert.equal(found.get('vkitm_connections{listener="clients"}'), 1)
  assert.equal(found.get('vkitm_connections_total{listener="clients"}'), 2)
  assert.equal(found.get('vkitm_upstream_connections'), 1)
  assert.equal(found.get('vkitm_upstream_connections_total'), 2)
})

test('bytes are counted in four directions', async () => {
  const metrics = create()
  metrics.receivedFromClient(1)
  metrics.sentToUpstream(20)
  metrics.receivedFromUpstream(300)
  metrics.sentToClient(4000)
  const found = await samples(metrics)
  const bytes = ['from_client', 'to_upstream', 'from_upstream', 'to_client'].map(direction =>
    found.get(`vkitm_bytes_total{direction="${direction}"}`),
  )
  assert.deepEqual(bytes, [1, 20, 300, 4000])
})

test('latencies of the gateway and of the broker are histograms apart, by API', async () => {
  const metrics = create()
  metrics.gatewayMs(1, 0.02)
  metrics.gatewayMs(1, 0.021)
  metrics.gatewayMs(1, 5000)
  metrics.upstreamMs(1, 250)
  const found = await samples(metrics)
  const bucket = (name: string, le: string) => found.get(`${name}_bucket{api="Fetch",le="${le}"}`)
  assert.equal(bucket('vkitm_gateway_seconds', '0.00002'), 1, 'a bound belongs to its bucket')
  assert.equal(bucket('vkitm_gateway_seconds', '0.00005'), 2)
  assert.equal(bucket('vkitm_gateway_seconds', '1'), 2)
  assert.equal(bucket('vkitm_gateway_seconds', '+Inf'), 3)
  assert.equal(found.get('vkitm_gateway_seconds_count{api="Fetch"}'), 3)
  assert.ok(Math.abs(found.get('vkitm_gateway_seconds_sum{api="Fetch"}')! - 5.000041) < 1e-9)
  assert.equal(bucket('vkitm_upstream_seconds', '0.2'), 0)
  assert.equal(bucket('vkitm_upstream_seconds', '0.5'), 1)
})

test('scraping twice counts nothing twice', async () => {
  const metrics = create()
  metrics.request(0, 1)
  metrics.error('VKITM_WIRE')
  metrics.refused(3, 'inter-broker')
  metrics.unknownTags(0, 'response', 5)
  metrics.upstreamMs(0, 3)
  const first = await metrics.text()
  assert.equal(await metrics.text(), first)
  assert.match(first, /vkitm_refused_total\{api="Metadata",reason="inter-broker"\} 1/)
  assert.match(first, /vkitm_unknown_tags_total\{api="Produce",direction="response"\} 5/)
})

test('figures that others keep are read when somebody asks', async () => {
  const metrics = create()
  let used = 1
  metrics.gauge('vkitm_buffered_bytes', 'Bytes held', () => used)
  metrics.counter('vkitm_log_dropped_total', 'Lines lost', () => used * 2)
  used = 21
  const found = await samples(metrics)
  assert.equal(found.get('vkitm_buffered_bytes'), 21)
  assert.equal(found.get('vkitm_log_dropped_total'), 42)
})

test('counting a request allocates nothing', () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const metrics = create()
  // Few enough that garbage of a few bytes each would show: V8 collects young objects from 1 MiB on.
  const work = () => {
    for (let index = 0; index < 20_000; index++) {
      metrics.request(index & 63, index & 15)
      metrics.receivedFromClient(index)
      metrics.gatewayMs(index & 63, 0.1)
    }
  }
  const grown = Array.from({ length: 50 }, () => {
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    work()
    return process.memoryUsage().heapUsed - before
  })
  // The first rounds run before the code is compiled, and box numbers.
  assert.ok(Math.min(...grown) < 100 * 1024, `${grown.join(', ')} bytes for 20,000 requests`)
})
