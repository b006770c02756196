/**
 * What the gateway counts about itself. The hot path adds to plain numbers and typed arrays; names, labels and
 * prom-client come into it only when somebody scrapes. Label values are bounded, whatever clients send.
 */
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'
import { ApiHistogram } from './api-histogram.ts'
import { BoundedCounts } from './bounded-counts.ts'

/** Rows 0…127 are API keys; everything else shares the last row. */
const API_ROWS = 129
const VERSION_COLUMNS = 33
const GATEWAY_BOUNDS_MS = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 500, 1000]
const UPSTREAM_BOUNDS_MS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000]

export interface MetricsOptions {
  /** Kafka's name of an API key; undefined where there is none. */
  readonly apiName: (apiKey: number) => string | undefined
  /** False in tests that count timers: Node's own figures (memory, garbage collection, event loop). */
  readonly processMetrics?: boolean
}

/** One listener's counters, resolved once when the listener is built. */
export class ListenerMetrics {
  #opened = 0
  #closed = 0

  connectionOpened(): void {
    this.#opened++
  }

  connectionClosed(): void {
    this.#closed++
  }

  get opened(): number {
    return this.#opened
  }

  get open(): number {
    return this.#opened - this.#closed
  }
}

const rowOf = (apiKey: number): number => (apiKey >= 0 && apiKey < API_ROWS - 1 ? apiKey : API_ROWS - 1)
const columnOf = (version: number): number =>
  version >= 0 && version < VERSION_COLUMNS - 1 ? version : VERSION_COLUMNS - 1

export class Metrics {
  readonly #registry = new Registry()
  readonly #apiName: (row: number) => string
  readonly #listeners = new Map<string, ListenerMetrics>()
  readonly #requests = new Float64Array(API_ROWS * VERSION_COLUMNS)
  readonly #unknownTags = { request: new Float64Array(API_ROWS), response: new Float64Array(API_ROWS) }
  readonly #errors = new BoundedCounts(128)
  readonly #refused = new BoundedCounts(1024)
  readonly #gateway: ApiHistogram
  readonly #upstream: ApiHistogram
  #fromClient = 0
  #toClient = 0
  #fromUpstream = 0
  #toUpstream = 0
  #upstreamOpened = 0
  #upstreamClosed = 0

  constructor({ apiName, processMetrics = true }: MetricsOptions) {
    this.#apiName = row => apiName(row) ?? 'other'
    this.#gateway = this.#histogram(
      'vkitm_gateway_seconds',
      'Time a request and its answer spent in the gateway, without the wait for the broker',
      GATEWAY_BOUNDS_MS,
    )
    this.#upstream = this.#histogram(
      'vkitm_upstream_seconds',
      'Time from the last byte of a request towards the broker to the first byte of its answer',
      UPSTREAM_BOUNDS_MS,
    )
    this.#registerConnections()
    this.#registerTraffic()
    this.#registerRefusals()
    if (processMetrics) collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 50 })
  }

  listener(name: string): ListenerMetrics {
    const known = this.#listeners.get(name)
    if (known) return known
    const created = new ListenerMetrics()
    this.#listeners.set(name, created)
    return created
  }

  request(apiKey: number, version: number): void {
    this.#requests[rowOf(apiKey) * VERSION_COLUMNS + columnOf(version)]!++
  }

  receivedFromClient(bytes: number): void {
    this.#fromClient += bytes
  }

  sentToClient(bytes: number): void {
    this.#toClient += bytes
  }

  receivedFromUpstream(bytes: number): void {
    this.#fromUpstream += bytes
  }

  sentToUpstream(bytes: number): void {
    this.#toUpstream += bytes
  }

  /** `cause` is an error's code or another name of ours, never text from the wire. */
  error(cause: string): void {
    this.#errors.add(cause)
  }

  unknownTags(apiKey: number, direction: 'request' | 'response', count = 1): void {
    this.#unknownTags[direction][rowOf(apiKey)]! += count
  }

  /** A request the gateway answered or closed itself; inter-broker keys among them deserve an alarm. */
  refused(apiKey: number, reason: string): void {
    this.#refused.add(`${rowOf(apiKey)} ${reason}`)
  }

  gatewayMs(apiKey: number, ms: number): void {
    this.#gateway.observeMs(rowOf(apiKey), ms)
  }

  upstreamMs(apiKey: number, ms: number): void {
    this.#upstream.observeMs(rowOf(apiKey), ms)
  }

  upstreamOpened(): void {
    this.#upstreamOpened++
  }

  upstreamClosed(): void {
    this.#upstreamClosed++
  }

  /** A figure that somebody else keeps and that is read when scraped: `vkitm_buffered_bytes` and the like. */
  gauge(name: `vkitm_${string}`, help: string, read: () => number): void {
    new Gauge({ name, help, registers: [this.#registry], collect: gaugeOf(read) })
  }

  /** The same with labels of ours: `fill` names every series at each scrape; one that it leaves out is gone. */
  gauges<Label extends string>(name: `vkitm_${string}`, help: string, labelNames: Label[], fill: Fill<Label>): void {
    new Gauge({ name, help, labelNames, registers: [this.#registry], collect: gaugesOf(fill) })
  }

  counters<Label extends string>(
    name: `vkitm_${string}_total`,
    help: string,
    labelNames: Label[],
    fill: Fill<Label>,
  ): void {
    this.#counter(name, help, labelNames, fill)
  }

  /** The same for a figure that only grows. */
  counter(name: `vkitm_${string}_total`, help: string, read: () => number): void {
    this.#counter(name, help, [], add => add({}, read()))
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #registerConnections(): void {
    const listeners = this.#listeners
    new Gauge({
      name: 'vkitm_connections',
      help: 'Open client connections',
      labelNames: ['listener'],
      registers: [this.#registry],
      collect() {
        for (const [listener, counts] of listeners) this.set({ listener }, counts.open)
      },
    })
    this.#counter('vkitm_connections_total', 'Client connections accepted', ['listener'], add => {
      for (const [listener, counts] of listeners) add({ listener }, counts.opened)
    })
    this.gauge(
      'vkitm_upstream_connections',
      'Open connections to brokers',
      () => this.#upstreamOpened - this.#upstreamClosed,
    )
    this.counter('vkitm_upstream_connections_total', 'Connections opened to brokers', () => this.#upstreamOpened)
  }

  #registerTraffic(): void {
    this.#counter('vkitm_requests_total', 'Requests from clients', ['api', 'version'], add => {
      this.#requests.forEach((count, index) => {
        if (count === 0) return
        const version = index % VERSION_COLUMNS
        add(
          {
            api: this.#apiName((index - version) / VERSION_COLUMNS),
            version: version === VERSION_COLUMNS - 1 ? 'other' : String(version),
          },
          count,
        )
      })
    })
    this.#counter('vkitm_bytes_total', 'Bytes of Kafka frames, without TLS', ['direction'], add => {
      add({ direction: 'from_client' }, this.#fromClient)
      add({ direction: 'to_client' }, this.#toClient)
      add({ direction: 'from_upstream' }, this.#fromUpstream)
      add({ direction: 'to_upstream' }, this.#toUpstream)
    })
  }

  #registerRefusals(): void {
    this.#counter('vkitm_errors_total', 'Connections and requests that failed, by cause', ['cause'], add => {
      for (const [cause, count] of this.#errors) add({ cause }, count)
    })
    this.#counter('vkitm_unknown_tags_total', 'Unknown tagged fields dropped', ['api', 'direction'], add => {
      for (const direction of ['request', 'response'] as const) {
        this.#unknownTags[direction].forEach((count, row) => {
          if (count > 0) add({ api: this.#apiName(row), direction }, count)
        })
      }
    })
    this.#counter('vkitm_refused_total', 'Requests the gateway did not forward', ['api', 'reason'], add => {
      for (const [key, count] of this.#refused) {
        const [row = '', ...reason] = key.split(' ')
        add({ api: this.#apiName(Number(row)), reason: reason.join(' ') }, count)
      }
    })
  }

  #histogram(name: string, help: string, boundsMs: readonly number[]): ApiHistogram {
    const histogram = new ApiHistogram({ name, help, boundsMs, rows: API_ROWS, rowName: this.#apiName })
    this.#registry.registerMetric(histogram as unknown as Metric)
    return histogram
  }

  /** A counter filled from our own numbers at each scrape; values of equal labels add up. */
  #counter<Label extends string>(name: string, help: string, labelNames: Label[], fill: Fill<Label>): void {
    new Counter({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset()
        fill((labels, value) => this.inc(labels, value))
      },
    })
  }
}

export type Fill<Label extends string> = (add: (labels: Partial<Record<Label, string>>, value: number) => void) => void

function gaugeOf(read: () => number): (this: Gauge) => void {
  return function () {
    this.set(read())
  }
}

function gaugesOf<Label extends string>(fill: Fill<Label>): (this: Gauge<Label>) => void {
  return function () {
    this.reset()
    fill((labels, value) => this.set(labels, value))
  }
}
