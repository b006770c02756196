import { changed, type HandlerOf, unchanged } from '../pipeline/stage.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RewriteFacts } from './facts.ts'
import { rewriteEndpoints } from './node-endpoints.ts'

/** Leaders, read replicas and node ids stay real in `ports` and `sni`: only the addresses beside them change. */
export function rewriteFetch({ book }: RewriteFacts): HandlerOf<typeof ApiKey.Fetch> {
  return {
    response(body) {
      if (body.nodeEndpoints.length === 0) return unchanged
      body.nodeEndpoints = rewriteEndpoints(body.nodeEndpoints, book)
      return changed
    },
  }
}
