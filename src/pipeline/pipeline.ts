/**
 * Takes frames apart, walks them through the stages, and puts them together again. Every frame is decoded, for what
 * cannot be decoded is not forwarded; what no stage changed leaves as the bytes that came.
 */
import { WireError } from '../errors.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { ApiDescription } from '../protocol/api-table.ts'
import { encodeRequest, encodeResponse, readResponse } from '../protocol/codec.ts'
import { type RequestHeader, readRequestHeader } from '../protocol/request-header.ts'
import { brokerLimits, type ReadLimits } from '../wire/bounds.ts'
import type { Frame } from '../wire/frame.ts'
import { lengthPrefixBytes } from '../wire/frame.ts'
import { Reader } from '../wire/reader.ts'
import { type Client, Exchange } from './exchange.ts'
import type { ServedApis } from './served-apis.ts'
import { changed, changedAndLast, type RequestOutcome, type ResponseOutcome, type Stage, unchanged } from './stage.ts'

export interface UnknownTagCounter {
  unknownTags(apiKey: number, direction: 'request' | 'response', count?: number): void
}

export interface PipelineOptions {
  readonly served: ServedApis
  /** In the order in which requests meet them; answers meet them the other way round. */
  readonly stages: readonly Stage[]
  readonly metrics: UnknownTagCounter
  /** What a client's message may ask of its reader, where it is not the default. */
  readonly requestLimits?: Partial<ReadLimits>
}

/** A request that the gateway does not serve: closed, or answered where Kafka answers (ApiVersions). */
export interface Unserved {
  readonly header: RequestHeader
}

type Step<Outcome> = (exchange: Exchange) => Outcome | Promise<Outcome>

/** What happens to one API and version, worked out at its first request. */
interface Plan {
  readonly onRequest: readonly Step<RequestOutcome>[]
  readonly onResponse: readonly Step<ResponseOutcome>[]
}

export interface Opened {
  readonly exchange: Exchange
  /** Unknown tagged fields or stray bytes were dropped: the received bytes are not what was judged. */
  readonly isTrimmed: boolean
}

export interface Answer {
  readonly chunks: readonly Buffer[]
  readonly byteLength: number
}

export class Pipeline {
  readonly served: ServedApis
  readonly #stages: readonly Stage[]
  readonly #metrics: UnknownTagCounter
  readonly #requestLimits: Partial<ReadLimits> | undefined
  readonly #plans: Plan[][] = []

  constructor({ served, stages, metrics, requestLimits }: PipelineOptions) {
    this.served = served
    this.#stages = stages
    this.#metrics = metrics
    this.#requestLimits = requestLimits
  }

  /**
   * Decodes a client's frame.
   * @throws WireError when it is not exactly one request of a served API and version.
   */
  open(frame: Frame, client: Client): Opened | Unserved {
    const reader = new Reader(frame.chunks, this.#requestLimits)
    reader.skip(lengthPrefixBytes)
    const header = readRequestHeader(reader)
    const api = this.served.find(header.apiKey, header.apiVersion)
    if (api === undefined) return { header }
    const request = api.readRequest(reader, header.apiVersion)
    const hasStrayBytes = reader.remaining > 0 && isStray(header, reader.remaining)
    if (!hasStrayBytes) reader.expectEnd()
    if (reader.unknownTags > 0) this.#metrics.unknownTags(api.key, 'request', reader.unknownTags)
    const isTrimmed = hasStrayBytes || reader.unknownTags > 0
    return { exchange: new Exchange(client, api, header, request, reader.items), isTrimmed }
  }

  /** Walks a request through the stages that want it. */
  judgeRequest(exchange: Exchange): RequestOutcome | Promise<RequestOutcome> {
    return walk(this.#planOf(exchange).onRequest, exchange, 0, unchanged)
  }

  /** The bytes of a request whose body was changed. */
  encodeRequest(exchange: Exchange): Answer {
    const { api, header, request } = exchange
    return sized(encodeRequest(api.key as ApiKey, header, request as never))
  }

  /**
   * Decodes a broker's frame into `exchange.response` and walks it through the stages.
   * @throws WireError when it is not exactly the answer of this API and version.
   */
  judgeResponse(exchange: Exchange, frame: Frame): ResponseOutcome | Promise<ResponseOutcome> {
    const { api, header } = exchange
    const reader = new Reader(frame.chunks, brokerLimits)
    reader.skip(lengthPrefixBytes)
    const { correlationId, body } = readResponse(reader, api, header.apiVersion)
    reader.expectEnd()
    if (correlationId !== header.correlationId) {
      throw new WireError('answer to another request', {
        details: { expected: header.correlationId, received: correlationId },
      })
    }
    exchange.response = body
    if (reader.unknownTags > 0) this.#metrics.unknownTags(api.key, 'response', reader.unknownTags)
    return walk(this.#planOf(exchange).onResponse, exchange, 0, reader.unknownTags > 0 ? changed : unchanged)
  }

  /** The bytes of an answer that was changed, or made here. */
  encodeResponse(exchange: Exchange): Answer {
    const { api, header, response } = exchange
    return sized(encodeResponse(api.key as ApiKey, header.apiVersion, header.correlationId, response as never))
  }

  #planOf({ api, header }: Exchange): Plan {
    const known = this.#plans[api.key]?.[header.apiVersion]
    if (known !== undefined) return known
    const plan = this.#plan(api, header.apiVersion)
    this.#plans[api.key] ??= []
    this.#plans[api.key]![header.apiVersion] = plan
    return plan
  }

  #plan(api: ApiDescription, apiVersion: number): Plan {
    const onRequest: Step<RequestOutcome>[] = []
    let onResponse: readonly Step<ResponseOutcome>[] = []
    for (const { request, response } of this.#stages.flatMap(stage => stage.handler(api.key, apiVersion) ?? [])) {
      if (request !== undefined) {
        onRequest.push(answeredThrough(onResponse, exchange => request(exchange.request, exchange)))
      }
      if (response !== undefined) onResponse = [exchange => response(exchange.response, exchange), ...onResponse]
    }
    return { onRequest, onResponse }
  }
}

/** A stage that answers by itself stands for the broker to the stages before it: they meet its answer as they would a broker's. */
function answeredThrough(before: readonly Step<ResponseOutcome>[], step: Step<RequestOutcome>): Step<RequestOutcome> {
  if (before.length === 0) return step
  return exchange => {
    const outcome = step(exchange)
    if (outcome instanceof Promise) return outcome.then(settled => goBack(before, exchange, settled))
    return outcome.kind === 'respond' ? goBack(before, exchange, outcome) : outcome
  }
}

async function goBack(
  before: readonly Step<ResponseOutcome>[],
  exchange: Exchange,
  outcome: RequestOutcome,
): Promise<RequestOutcome> {
  if (outcome.kind !== 'respond') return outcome
  exchange.response = outcome.response
  const end = await walk(before, exchange, 0, unchanged)
  return end.kind === 'forward' ? { ...outcome, response: exchange.response } : end
}

/** Runs the steps in order until one does not forward; waits only where a step does. */
function walk<Outcome extends RequestOutcome>(
  steps: readonly Step<Outcome>[],
  exchange: Exchange,
  from: number,
  before: Forward,
): Outcome | Forward | Promise<Outcome | Forward> {
  let sum = before
  for (let at = from; at < steps.length; at++) {
    const outcome = (steps[at] as Step<Outcome>)(exchange)
    if (outcome instanceof Promise) return walkOn(steps, exchange, at, sum, outcome)
    if (outcome.kind !== 'forward') return lastAfter(sum, outcome)
    sum = together(sum, outcome)
  }
  return sum
}

async function walkOn<Outcome extends RequestOutcome>(
  steps: readonly Step<Outcome>[],
  exchange: Exchange,
  at: number,
  before: Forward,
  pending: Promise<Outcome>,
): Promise<Outcome | Forward> {
  const outcome = await pending
  if (outcome.kind !== 'forward') return lastAfter(before, outcome)
  return walk(steps, exchange, at + 1, together(before, outcome))
}

type Forward = Extract<RequestOutcome, { kind: 'forward' }>

function together(one: Forward, other: Forward): Forward {
  if (one === unchanged) return other
  if (one.isLast === true || other.isLast === true) return changedAndLast
  return one.changed || other.changed ? changed : unchanged
}

/** What an earlier stage made the client's last stays that, whoever answers it. */
function lastAfter<Outcome extends RequestOutcome>({ isLast }: Forward, outcome: Outcome): Outcome {
  return isLast === true && outcome.kind === 'respond' ? { ...outcome, closes: true } : outcome
}

function sized(chunks: readonly Buffer[]): Answer {
  let byteLength = 0
  for (const chunk of chunks) byteLength += chunk.length
  return { chunks, byteLength }
}

/**
 * librdkafka (2.16) asks for all topics with four bytes where one is meant, so that its last three are behind the end;
 * brokers do not look there.
 */
function isStray({ apiKey, apiVersion }: RequestHeader, byteLength: number): boolean {
  return apiKey === ApiKey.Metadata && apiVersion >= 9 && byteLength <= 3
}
