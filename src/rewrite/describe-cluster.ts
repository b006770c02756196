import { changed, type HandlerOf } from '../pipeline/stage.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RewriteFacts } from './facts.ts'

export function rewriteDescribeCluster({ book, hidden }: RewriteFacts): HandlerOf<typeof ApiKey.DescribeCluster> {
  return {
    response(body) {
      body.brokers = body.brokers.flatMap(broker => {
        const address = book.addressOf(broker.brokerId)
        return address === undefined ? [] : [{ ...broker, ...address }]
      })
      if (book.addressOf(body.controllerId) === undefined) body.controllerId = -1
      if (body.errorMessage !== null) body.errorMessage = hidden.hide(body.errorMessage)
      return changed
    },
  }
}
