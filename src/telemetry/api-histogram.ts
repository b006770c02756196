export interface ApiHistogramOptions {
  readonly name: string
  readonly help: string
  /** Upper bounds in milliseconds, ascending. */
  readonly boundsMs: readonly number[]
  /** One row for each API. */
  readonly rows: number
  readonly rowName: (row: number) => string
}

interface Sample {
  readonly metricName: string
  readonly labels: { readonly api: string; readonly le?: number | '+Inf' }
  readonly value: number
}

/**
 * A histogram per API whose observation is two additions in typed arrays. It has the part of prom-client's Histogram
 * that a registry calls; labels exist only while it is scraped.
 */
export class ApiHistogram {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly #boundsMs: Float64Array
  readonly #width: number
  readonly #counts: Float64Array
  readonly #sumsMs: Float64Array
  readonly #rowName: (row: number) => string

  constructor({ name, help, boundsMs, rows, rowName }: ApiHistogramOptions) {
    this.name = name
    this.help = help
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

  async get() {
    const { name, help, type, aggregator } = this
    return { name, help, type, aggregator, values: Array.from(this.#sumsMs.keys()).flatMap(row => this.#samples(row)) }
  }

  reset(): void {
    this.#counts.fill(0)
    this.#sumsMs.fill(0)
  }

  #samples(row: number): Sample[] {
    const counts = this.#counts.subarray(row * this.#width, (row + 1) * this.#width)
    const api = this.#rowName(row)
    let total = 0
    const buckets: Sample[] = Array.from(counts, (count, bucket) => {
      total += count
      const le = bucket < this.#boundsMs.length ? this.#boundsMs[bucket]! / 1000 : '+Inf'
      return { metricName: `${this.name}_bucket`, labels: { api, le }, value: total }
    })
    if (total === 0) return []
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels: { api }, value: this.#sumsMs[row]! / 1000 },
      { metricName: `${this.name}_count`, labels: { api }, value: total },
    ]
  }
}
