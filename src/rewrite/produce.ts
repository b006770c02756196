import { changed, type HandlerOf, unchanged } from '../pipeline/stage.ts'
import type { ApiKey } from '../protocol/api-key.ts'
import type { PartitionProduceResponse, ProduceResponse } from '../protocol/generated/produce-response.ts'
import type { RewriteFacts } from './facts.ts'
import type { HiddenText } from './hidden-text.ts'
import { rewriteEndpoints } from './node-endpoints.ts'

export function rewriteProduce({ book, hidden }: RewriteFacts): HandlerOf<typeof ApiKey.Produce> {
  return {
    response(body) {
      // Texts and endpoints come with errors alone: an answer without one is forwarded as it came.
      const isUntouched = body.nodeEndpoints.length === 0 && !hasText(body)
      if (isUntouched) return unchanged
      body.nodeEndpoints = rewriteEndpoints(body.nodeEndpoints, book)
      for (const { partitionResponses } of body.responses)
        for (const each of partitionResponses) hideTexts(each, hidden)
      return changed
    },
  }
}

function hasText({ responses }: ProduceResponse): boolean {
  for (const { partitionResponses } of responses) {
    for (const { errorMessage, recordErrors } of partitionResponses) {
      if (errorMessage !== null || recordErrors.length > 0) return true
    }
  }
  return false
}

function hideTexts(partition: PartitionProduceResponse, hidden: HiddenText): void {
  if (partition.errorMessage !== null) partition.errorMessage = hidden.hide(partition.errorMessage)
  for (const record of partition.recordErrors) {
    if (record.batchIndexErrorMessage !== null)
      record.batchIndexErrorMessage = hidden.hide(record.batchIndexErrorMessage)
  }
}
