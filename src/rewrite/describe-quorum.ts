import { changed, type HandlerOf } from '../pipeline/stage.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { RewriteFacts } from './facts.ts'
import { hideTexts } from './texts.ts'

/** From version 2 on the answer lists the controllers' own listeners, which no client may reach or know. */
export function rewriteDescribeQuorum({ hidden }: RewriteFacts): HandlerOf<typeof ApiKey.DescribeQuorum> {
  return {
    response(body) {
      for (const node of body.nodes) node.listeners = []
      hideTexts(body, hidden)
      return changed
    },
  }
}
