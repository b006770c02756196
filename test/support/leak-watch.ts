// Looks for the brokers in what clients are sent: for texts anywhere in the bytes, for ports in every decoded field.
import { type ApiKey, apiName } from '../../src/protocol/api-key.ts'
import { decodeResponse } from '../../src/protocol/codec.ts'
import { Span } from '../../src/wire/span.ts'

export interface Secrets {
  /** Names of hosts and listeners. */
  readonly texts: readonly string[]
  readonly ports: readonly number[]
}

const leaksMax = 20

export class LeakWatch {
  /** Decoded responses by name of the API: what was never asked proves nothing. */
  readonly seen = new Map<string, number>()
  readonly #leaks = new Set<string>()
  readonly #needles: readonly Buffer[]
  readonly #ports: ReadonlySet<number>
  #bytes = 0

  constructor({ texts, ports }: Secrets) {
    const addresses = ports.map(port => `:${port}`)
    this.#needles = [...texts, ...addresses].map(text => Buffer.from(text))
    this.#ports = new Set(ports)
  }

  get leaks(): readonly string[] {
    return [...this.#leaks]
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A response without its length prefix, and the request it answers. */
  response(key: number, version: number, frame: Buffer): void {
    this.bytesToClient(frame, `${apiName(key)} v${version}`)
    const { body } = decodeResponse(key as ApiKey, version, frame)
    this.#walk(body, apiName(key), version)
    this.seen.set(apiName(key), (this.seen.get(apiName(key)) ?? 0) + 1)
  }

  bytesToClient(bytes: Buffer, where: string): void {
    this.#bytes += bytes.length
    for (const needle of this.#needles) {
      const at = bytes.indexOf(needle)
      if (at >= 0) this.#leak(`${where}: ${JSON.stringify(bytes.toString('latin1', Math.max(0, at - 30), at + 60))}`)
    }
  }

  #walk(value: unknown, path: string, version: number): void {
    if (value === null || typeof value !== 'object' || Buffer.isBuffer(value) || value instanceof Span) return
    for (const [name, inner] of Object.entries(value)) {
      const where = Array.isArray(value) ? path : `${path}.${name}`
      if (typeof inner === 'number' && /port$/i.test(name) && this.#ports.has(inner))
        this.#leak(`${where} v${version} is ${inner}`)
      this.#walk(inner, where, version)
    }
  }

  #leak(text: string): void {
    if (this.#leaks.size < leaksMax) this.#leaks.add(text)
  }
}
