import { changed, type HandlerOf } from '../pipeline/stage.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RewriteFacts } from './facts.ts'
import { rewriteEndpoints } from './node-endpoints.ts'
import { hideTexts } from './texts.ts'

export function rewriteShareAcknowledge({ book, hidden }: RewriteFacts): HandlerOf<typeof ApiKey.ShareAcknowledge> {
  return {
    response(body) {
      body.nodeEndpoints = rewriteEndpoints(body.nodeEndpoints, book)
      hideTexts(body, hidden)
      return changed
    },
  }
}
