import { Histogram, type MetricObjectWithValues, type MetricValueWithName, type Registry } from 'prom-client'

export interface ApiHistogramOptions {
  readonly name: string
  readonly help: string
  /** Upper bounds in milliseconds, ascending. */
  readonly boundsMs: readonly number[]
  /** The highest row; each row is an API. */
  readonly rows: number
  readonly rowName: (row: number) => string
  readonly registry: Registry
}

/** A histogram per API whose observation is two additions in typed arrays; labels exist only while it is scraped. */
export class ApiHistogram extends Histogram<'api'> {
  readonly #boundsMs: Float64Array
  readonly #width: number
  readonly #counts: Float64Array
  readonly #sumsMs: Float64Array
  readonly #rowName: (row: number) => string

  constructor({ name, help, boundsMs, rows, rowName, registry }: ApiHistogramOptions) {
    super({ name, help, labelNames: ['api'], registers: [registry] })
    this.#boundsMs = Float64Array.from(boundsMs)
    this.#width = boundsMs.length + 1
    this.#counts = new Float64Array(rows * this.#width)
    this.#sumsMs = new Float64Array(rows)
    this.#rowName = rowName
  }

  observeMs(row: number, ms: number): void {
    const bounds = this.#boundsMs
    let bucket = 0
    while (bucket < bounds.length && ms > bounds[bucket]!) bucket++
    this.#counts[row * this.#width + bucket]!++
    this.#sumsMs[row]! += ms
  }

  override async get(): Promise<MetricObjectWithValues<MetricValueWithName<'api'>>> {
    const empty = await super.get()
    return { ...empty, values: Array.from(this.#sumsMs.keys()).flatMap(row => this.#rowValues(empty.name, row)) }
  }

  #rowValues(name: string, row: number): MetricValueWithName<'api'>[] {
    const counts = this.#counts.subarray(row * this.#width, (row + 1) * this.#width)
    const api = this.#rowName(row)
    let total = 0
    const buckets: MetricValueWithName<'api'>[] = Array.from(counts, (count, bucket) => {
      total += count
      const le = bucket < this.#boundsMs.length ? this.#boundsMs[bucket]! / 1000 : '+Inf'
      return { metricName: `${name}_bucket`, labels: { api, le }, value: total }
    })
    if (total === 0) return []
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: { api }, value: this.#sumsMs[row]! / 1000 },
      { metricName: `${name}_count`, labels: { api }, value: total },
    ]
  }
}
