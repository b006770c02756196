/** KIP-951: answers that say "not the leader" name the new leader's address, tagged or plain. */
import type { AddressBook } from '../topology/address-book.ts'

export interface NodeEndpoint {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

/** The endpoints as clients may see them; those without an address here are left out. */
export function rewriteEndpoints<Endpoint extends NodeEndpoint>(
  endpoints: readonly Endpoint[],
  book: AddressBook,
): Endpoint[] {
  return endpoints.flatMap(endpoint => {
    const address = book.addressOf(endpoint.nodeId)
    return address === undefined ? [] : [{ ...endpoint, host: address.host, port: address.port }]
  })
}
