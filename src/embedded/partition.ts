/** One partition: who leads it, since when, and its log. */
import { PartitionLog } from './partition-log.ts'
import { ProducerSequences } from './producer-sequences.ts'

interface EpochStart {
  readonly epoch: number
  readonly startOffset: bigint
}

export interface EpochEnd {
  readonly epoch: number
  readonly endOffset: bigint
}

export const noLeader = -1

export class Partition {
  readonly index: number
  /** Node ids; any of them may lead, the first one likes to. */
  readonly replicas: readonly number[]
  readonly log: PartitionLog
  readonly producers = new ProducerSequences()
  #leaderId: number
  readonly #epochs: EpochStart[] = [{ epoch: 0, startOffset: 0n }]
  readonly #watchers = new Set<() => void>()

  constructor(index: number, replicas: readonly number[], bytesMax: number) {
    this.index = index
    this.replicas = replicas
    this.log = new PartitionLog(bytesMax)
    this.#leaderId = replicas[0] ?? noLeader
  }

  get leaderId(): number {
    return this.#leaderId
  }

  get leaderEpoch(): number {
    return this.#epochs.at(-1)!.epoch
  }

  lead(nodeId: number): void {
    if (nodeId === this.#leaderId) return
    this.#leaderId = nodeId
    this.#epochs.push({ epoch: this.leaderEpoch + 1, startOffset: this.log.endOffset })
    this.changed()
  }

  /** Where the last epoch that is not after `epoch` ended. */
  endOf(epoch: number): EpochEnd | undefined {
    const at = this.#epochs.findLastIndex(each => each.epoch <= epoch)
    const found = this.#epochs[at]
    if (found === undefined) return undefined
    return { epoch: found.epoch, endOffset: this.#epochs[at + 1]?.startOffset ?? this.log.endOffset }
  }

  /** Wakes those who wait for records, or for anything else a fetch would answer at once. */
  changed(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  /** @returns what ends the watch. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }
}
