/** One request on its way to a broker and its answer on the way back. */
import { ApiKey } from '../protocol/api-key.ts'
import type { ApiDescription } from '../protocol/api-table.ts'
import type { RequestHeader } from '../protocol/request-header.ts'

/** What is known of a client connection. Frozen once its session is ready. */
export interface Client {
  /** Counts up from 1 over the life of the process. */
  readonly connection: number
  readonly listener: string
  /** `host:port` as the client connects from (or as a trusted PROXY header says). */
  readonly address: string
  /** The host of `address`. */
  readonly ip: string
  /** `User:alice`, `User:ANONYMOUS`. */
  readonly principal: string
  /** The broker whose port the client chose; undefined on the bootstrap port. */
  readonly nodeId: number | undefined
}

export class Exchange {
  readonly client: Client
  readonly api: ApiDescription
  readonly header: RequestHeader
  /** The decoded body; a stage may change it, and says so. */
  request: unknown
  /** The decoded answer, from the moment a broker or a stage gave one. */
  response: unknown = undefined
  /** False for a Produce with acks=0, the one request without an answer; as the client asked, whatever stages make of it. */
  readonly isAnswered: boolean
  /** Of the request as it came, as `ReadLimits.itemsMax` counts them. */
  readonly requestItems: number
  /** The last of what stages owe the answer for what they kept back of the request. */
  #debt: Debt | undefined = undefined

  constructor(client: Client, api: ApiDescription, header: RequestHeader, request: unknown, requestItems = 0) {
    this.client = client
    this.api = api
    this.header = header
    this.request = request
    this.requestItems = requestItems
    this.isAnswered = api.key !== ApiKey.Produce || (request as { acks: number }).acks !== 0
  }

  /** `pay` puts into the answer what `stage` kept back of the request; run where that stage meets the answer. */
  owe(stage: object, pay: (response: never) => void): void {
    this.#debt = { stage, pay, before: this.#debt }
  }

  /** Pays what `stage` owes this answer, once; false where that is nothing. */
  payDebtOf(stage: object): boolean {
    if (this.#debt?.stage !== stage) return false
    const { pay, before } = this.#debt
    this.#debt = before
    pay(this.response as never)
    return true
  }
}

/** Answers meet stages the other way round than requests did, so that whoever owed last pays first. */
interface Debt {
  readonly stage: object
  readonly pay: (response: never) => void
  readonly before: Debt | undefined
}

/** Kafka takes a client without an id for one with an empty one. */
export function clientIdOf({ clientId }: RequestHeader): string {
  return clientId ?? ''
}
