/** The groups of the cluster, and which node coordinates which. */
import { Group } from './group.ts'

export class Groups {
  readonly #initialDelayMs: number
  readonly #byId = new Map<string, Group>()

  constructor(initialDelayMs: number) {
    this.#initialDelayMs = initialDelayMs
  }

  all(): Group[] {
    return [...this.#byId.values()]
  }

  find(id: string): Group | undefined {
    return this.#byId.get(id)
  }

  findOrCreate(id: string): Group {
    const known = this.#byId.get(id)
    if (known !== undefined) return known
    const group = new Group(id, this.#initialDelayMs)
    this.#byId.set(id, group)
    return group
  }

  delete(group: Group): void {
    group.close()
    this.#byId.delete(group.id)
  }

  /** Groups lose what they committed for a topic together with the topic. */
  topicDeleted(name: string): void {
    for (const group of this.#byId.values()) group.offsets.forget(name)
  }

  close(): void {
    for (const group of this.all()) this.delete(group)
  }
}
