/** Besides leaks: what answers said of the topics that one request named. */
import { ApiKey, apiName } from '../../src/protocol/api-key.ts'
import { decodeResponse } from '../../src/protocol/codec.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import type { FetchResponse } from '../../src/protocol/generated/fetch-response.ts'
import type { ProduceResponse } from '../../src/protocol/generated/produce-response.ts'
import { LeakWatch } from './leak-watch.ts'

export class AnswerWatch extends LeakWatch {
  /** Answers that denied one topic and gave another what it asked for, by name of the API. */
  readonly mixed = new Map<string, number>()

  /** Answers so far, of one API or of all. */
  answers(api?: string): number {
    if (api !== undefined) return this.seen.get(api) ?? 0
    return [...this.seen.values()].reduce((sum, count) => sum + count, 0)
  }

  override response(key: number, version: number, frame: Buffer): void {
    super.response(key, version, frame)
    if (!isMixed(key, version, frame)) return
    const api = apiName(key as ApiKey)
    this.mixed.set(api, (this.mixed.get(api) ?? 0) + 1)
  }
}

function isMixed(key: number, version: number, frame: Buffer): boolean {
  if (key !== ApiKey.Produce && key !== ApiKey.Fetch) return false
  const { body } = decodeResponse(key, version, frame)
  const { denied, served } = key === ApiKey.Produce ? produced(body as ProduceResponse) : fetched(body as FetchResponse)
  return denied && served
}

interface Said {
  readonly denied: boolean
  readonly served: boolean
}

const isDenied = ({ errorCode }: { readonly errorCode: number }) => errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED

function produced({ responses }: ProduceResponse): Said {
  const partitions = responses.flatMap(({ partitionResponses }) => partitionResponses)
  return { denied: partitions.some(isDenied), served: partitions.some(({ errorCode }) => errorCode === 0) }
}

/** An answer with records of one topic and the denial of another. */
function fetched({ responses }: FetchResponse): Said {
  const partitions = responses.flatMap(topic => topic.partitions)
  const hasRecords = ({ records, errorCode }: (typeof partitions)[number]) =>
    errorCode === 0 && records !== null && records.byteLength > 0
  return { denied: partitions.some(isDenied), served: partitions.some(hasRecords) }
}
