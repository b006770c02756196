/** Where a group has got to, by topic and partition. */

export interface CommittedOffset {
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string
}

export class CommittedOffsets {
  readonly #topics = new Map<string, Map<number, CommittedOffset>>()

  commit(topic: string, partition: number, committed: CommittedOffset): void {
    const partitions = this.#topics.get(topic)
    if (partitions === undefined) this.#topics.set(topic, new Map([[partition, committed]]))
    else partitions.set(partition, committed)
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.#topics.get(topic)?.get(partition)
  }

  all(): { readonly topic: string; readonly partitions: readonly number[] }[] {
    return Array.from(this.#topics, ([topic, partitions]) => ({ topic, partitions: [...partitions.keys()] }))
  }

  forget(topic: string): void {
    this.#topics.delete(topic)
  }
}
