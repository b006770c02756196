import { changed, type HandlerOf } from '../pipeline/stage.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { MetadataResponseTopic } from '../protocol/generated/metadata-response.ts'
import type { AddressBook } from '../topology/address-book.ts'
import type { RewriteFacts } from './facts.ts'

export function rewriteMetadata({ book, brokersSeen }: RewriteFacts): HandlerOf<typeof ApiKey.Metadata> {
  return {
    response(body) {
      brokersSeen(body.brokers)
      body.brokers = body.brokers.flatMap(broker => {
        const address = book.addressOf(broker.nodeId)
        return address === undefined ? [] : [{ ...broker, ...address }]
      })
      if (book.addressOf(body.controllerId) === undefined) body.controllerId = -1
      for (const topic of body.topics) orphan(topic, book)
      return changed
    },
  }
}

/** Partitions led by a broker that clients cannot reach have no leader for them. */
function orphan({ partitions }: MetadataResponseTopic, book: AddressBook): void {
  for (const partition of partitions) {
    if (partition.leaderId < 0 || book.addressOf(partition.leaderId) !== undefined) continue
    partition.leaderId = -1
    partition.errorCode = ErrorCode.LEADER_NOT_AVAILABLE
  }
}
