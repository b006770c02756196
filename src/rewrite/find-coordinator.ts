import { changed, type HandlerOf } from '../pipeline/stage.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { AddressBook } from '../topology/address-book.ts'
import type { RewriteFacts } from './facts.ts'

interface Found {
  nodeId: number
  host: string
  port: number
  errorCode: number
  errorMessage: string | null
}

export function rewriteFindCoordinator({ book, hidden }: RewriteFacts): HandlerOf<typeof ApiKey.FindCoordinator> {
  return {
    response(body, { header }) {
      // Up to version 3 the answer is one coordinator, from 4 on a list.
      for (const found of header.apiVersion <= 3 ? [body] : body.coordinators) {
        relocate(found, book)
        if (found.errorMessage !== null) found.errorMessage = hidden.hide(found.errorMessage)
      }
      return changed
    },
  }
}

function relocate(found: Found, book: AddressBook): void {
  const address = book.addressOf(found.nodeId)
  if (address !== undefined) {
    found.host = address.host
    found.port = address.port
    return
  }
  // −1: no coordinator, with the error beside it.
  if (found.nodeId >= 0) found.errorCode = ErrorCode.COORDINATOR_NOT_AVAILABLE
  found.nodeId = -1
  found.host = ''
  found.port = -1
}
