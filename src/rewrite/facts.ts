import type { ServedApis } from '../pipeline/served-apis.ts'
import type { AddressBook } from '../topology/address-book.ts'
import type { HiddenText } from './hidden-text.ts'

/** What the handlers of one listener need to know; all of it may change between two messages. */
export interface RewriteFacts {
  readonly book: AddressBook
  readonly served: ServedApis
  readonly hidden: HiddenText
  /** The cluster's own id; null until it is known. */
  readonly clusterId: () => string | null
  /** An answer names these brokers: news, perhaps, for whoever keeps the view of the cluster. */
  readonly brokersSeen: (brokers: readonly SeenBroker[]) => void
}

export interface SeenBroker {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}
