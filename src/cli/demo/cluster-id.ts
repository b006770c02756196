import { randomBytes } from 'node:crypto'

/** A new id as Kafka's Uuid.randomUuid makes it: never one that begins like an option of kafka-storage. */
export function newClusterId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}
