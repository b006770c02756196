/**
 * What the gateway knows of a cluster: an immutable snapshot, replaced whole whenever the brokers say something new.
 * Asks nobody itself; upstream/ brings the news.
 */

export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** What the broker that was asked last serves; the same on all of them, but for a while during an upgrade. */
export interface BrokerVersions {
  readonly apiKeys: readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[]
  readonly supportedFeatures: readonly {
    readonly name: string
    readonly minVersion: number
    readonly maxVersion: number
  }[]
  readonly finalizedFeaturesEpoch: bigint
  readonly finalizedFeatures: readonly {
    readonly name: string
    readonly maxVersionLevel: number
    readonly minVersionLevel: number
  }[]
}

export interface ClusterSnapshot {
  readonly clusterId: string | null
  readonly brokers: ReadonlyMap<number, BrokerAddress>
}

export class ClusterView {
  /** Known as soon as there is a snapshot. */
  versions: BrokerVersions | undefined
  #snapshot: ClusterSnapshot | undefined
  readonly #listeners = new Set<(snapshot: ClusterSnapshot) => void>()
  /** Where brokers were last seen, those that are gone included. */
  readonly #lastSeen = new Map<number, BrokerAddress>()

  /** Undefined until the first answer of a broker. */
  get snapshot(): ClusterSnapshot | undefined {
    return this.#snapshot
  }

  /**
   * Where the broker is, or was when it was last seen: a broker that restarts leaves the metadata for a while, and a
   * client that knocks meanwhile should hear a refusal at once.
   */
  broker(nodeId: number): BrokerAddress | undefined {
    return this.#lastSeen.get(nodeId)
  }

  /** Returns whether the brokers or their addresses differ from those known before. */
  replace(snapshot: ClusterSnapshot): boolean {
    const changed = this.#snapshot === undefined || !sameBrokers(this.#snapshot, snapshot)
    this.#snapshot = snapshot
    this.#remember(snapshot)
    if (changed) for (const listener of this.#listeners) listener(snapshot)
    return changed
  }

  #remember({ brokers }: ClusterSnapshot): void {
    const taken = new Set([...brokers.values()].map(addressText))
    for (const [nodeId, gone] of this.#lastSeen) {
      // Its address belongs to another broker now: dialled for the old one, it would be the wrong one.
      if (taken.has(addressText(gone))) this.#lastSeen.delete(nodeId)
    }
    for (const [nodeId, broker] of brokers) this.#lastSeen.set(nodeId, broker)
  }

  /** Calls `listener` at every change; returns how to stop it. */
  onChanged(listener: (snapshot: ClusterSnapshot) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The broker's address, now or as soon as a snapshot holds it; undefined once `signal` aborts. */
  waitForBroker(nodeId: number, signal: AbortSignal): Promise<BrokerAddress | undefined> {
    return this.#waitFor(() => this.broker(nodeId), signal)
  }

  /** Some snapshot, now or as soon as there is one; undefined once `signal` aborts. */
  waitForSnapshot(signal: AbortSignal): Promise<ClusterSnapshot | undefined> {
    return this.#waitFor(() => this.#snapshot, signal)
  }

  #waitFor<T>(find: () => T | undefined, signal: AbortSignal): Promise<T | undefined> {
    const now = find()
    if (now !== undefined || signal.aborted) return Promise.resolve(now)
    return new Promise(resolve => {
      const settle = (value: T | undefined) => {
        stop()
        signal.removeEventListener('abort', aborted)
        resolve(value)
      }
      const aborted = () => settle(undefined)
      const stop = this.onChanged(() => {
        const found = find()
        if (found !== undefined) settle(found)
      })
      signal.addEventListener('abort', aborted)
    })
  }
}

function sameBrokers(one: ClusterSnapshot, other: ClusterSnapshot): boolean {
  if (one.clusterId !== other.clusterId || one.brokers.size !== other.brokers.size) return false
  for (const [nodeId, broker] of one.brokers) {
    const twin = other.brokers.get(nodeId)
    if (twin === undefined || twin.host !== broker.host || twin.port !== broker.port) return false
  }
  return true
}

const addressText = ({ host, port }: BrokerAddress): string => `${host}:${port}`
