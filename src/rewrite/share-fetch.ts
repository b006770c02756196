import { changed, type HandlerOf, unchanged } from '../pipeline/stage.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { ShareFetchResponse } from '../protocol/generated/share-fetch-response.ts'
import type { RewriteFacts } from './facts.ts'
import { rewriteEndpoints } from './node-endpoints.ts'
import { hideTexts } from './texts.ts'

export function rewriteShareFetch({ book, hidden }: RewriteFacts): HandlerOf<typeof ApiKey.ShareFetch> {
  return {
    response(body) {
      if (body.nodeEndpoints.length === 0 && !hasText(body)) return unchanged
      body.nodeEndpoints = rewriteEndpoints(body.nodeEndpoints, book)
      hideTexts(body, hidden)
      return changed
    },
  }
}

function hasText({ errorMessage, responses }: ShareFetchResponse): boolean {
  if (errorMessage !== null) return true
  return responses.some(({ partitions }) =>
    partitions.some(partition => partition.errorMessage !== null || partition.acknowledgeErrorMessage !== null),
  )
}
