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
  /** What a stage owes the answer for what it kept back of the request; run where that stage meets the answer. */
  owed: ((response: never) => void) | undefined = undefined

  constructor(client: Client, api: ApiDescription, header: RequestHeader, request: unknown) {
    this.client = client
    this.api = api
    this.header = header
    this.request = request
  }
}

/** Kafka takes a client without an id for one with an empty one. */
export function clientIdOf({ clientId }: RequestHeader): string {
  return clientId ?? ''
}

/** A Produce with acks=0 is the one request without an answer. */
export function isAnswered({ api, request }: Exchange): boolean {
  return api.key !== ApiKey.Produce || (request as { acks: number }).acks !== 0
}
