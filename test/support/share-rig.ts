/**
 * A share consumer and a broker, with the policy of ShareFetch and ShareAcknowledge between them. The broker keeps
 * sessions as Kafka's SharePartitionManager does and has a record for every partition whenever it is asked.
 */
import assert from 'node:assert/strict'
import { createAcl, enforcements } from '../../src/acl/acl.ts'
import { SessionRoom } from '../../src/acl/session-room.ts'
import { Exchange } from '../../src/pipeline/exchange.ts'
import type { ApiHandler, Stage } from '../../src/pipeline/stage.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { describeApi } from '../../src/protocol/api-table.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import {
  type ShareAcknowledgeRequest,
  shareAcknowledgeRequestDefaults,
} from '../../src/protocol/generated/share-acknowledge-request.ts'
import {
  type ShareAcknowledgeResponse,
  shareAcknowledgeResponseDefaults,
  shareAcknowledgeResponsePartitionDataDefaults,
} from '../../src/protocol/generated/share-acknowledge-response.ts'
import { type ShareFetchRequest, shareFetchRequestDefaults } from '../../src/protocol/generated/share-fetch-request.ts'
import {
  type ShareFetchResponse,
  shareFetchResponseDefaults,
  shareFetchResponsePartitionDataDefaults,
} from '../../src/protocol/generated/share-fetch-response.ts'
import { TopicCatalog } from '../../src/topology/topic-catalog.ts'
import { Span } from '../../src/wire/span.ts'
import { clientOf, idOf } from './fetch-rig.ts'
import { plainPolicy } from './plain-policy.ts'

const member = { groupId: 'g', memberId: 'm' }
/** One topic, one partition: the topic's name stands for both. */
type Names = readonly string[]

export class ShareRig {
  /** What the broker's session fetches; undefined where it has none. */
  brokerSession: { epoch: number; readonly names: Set<string> } | undefined
  /** Errors of the session that the broker gave. */
  readonly sessionErrors: number[] = []
  /** What the client listed in its last fetch. */
  asked = new Set<string>()
  /** Everything the broker was told to add and to acknowledge by the last request. */
  listed: string[] = []
  acknowledged: string[] = []
  /** The client's side, as Java's ShareSessionHandler has it. */
  wanted = new Set<string>()
  #sent = new Set<string>()
  #epoch = 0
  readonly #names: ReadonlyMap<string, string>
  readonly #acl: Stage
  readonly #client = clientOf(1)
  #policy = plainPolicy([])
  #generation = 1

  constructor(names: Names, sessionRoom = new SessionRoom()) {
    this.#names = new Map(names.map(name => [idOf(name), name]))
    const topics = new TopicCatalog({
      now: () => 0,
      questions: {
        byId: async ids => ids.map(topicId => ({ name: this.#names.get(topicId)!, topicId })),
        byName: async () => [],
        all: async () => [],
      },
    })
    this.#acl = createAcl({
      rows: enforcements({ topics, autoCreatesTopics: () => false, refuses: () => false, sessionRoom }),
      policies: () => ({ inForce: this.#policy, shadow: undefined }),
      log: { decided: () => undefined, filtered: () => undefined, differed: () => undefined },
      isEnforcing: true,
    })
  }

  allow(names: Names): void {
    const rows = names.map(name => `p, User:alice, topic, ${name}, read, allow`)
    this.#policy = plainPolicy(['p, User:alice, group, g, read, allow', ...rows], ++this.#generation)
  }

  /** Whether the next request opens a session. */
  get isNew(): boolean {
    return this.#epoch === 0
  }

  close(): void {
    this.#epoch = -1
  }

  async fetch(acknowledged: Names, meanwhile?: () => void): Promise<ShareFetchResponse> {
    const isFinal = this.#epoch === -1
    const before = this.isNew ? new Set<string>() : this.#sent
    const added = isFinal ? [] : [...this.wanted].filter(name => !before.has(name))
    const gone = isFinal ? [] : [...before].filter(name => !this.wanted.has(name))
    // What is acknowledged is listed, whether or not it is wanted any more.
    const listed = new Set([...added, ...(this.isNew ? [] : acknowledged)])
    this.asked = listed
    const request: ShareFetchRequest = {
      ...shareFetchRequestDefaults(),
      ...member,
      shareSessionEpoch: this.#epoch,
      topics: Array.from(listed, name => topicOf(name, !this.isNew && acknowledged.includes(name))),
      forgottenTopicsData: gone.map(name => ({ topicId: idOf(name), partitions: [0] })),
    }
    this.#sent = new Set(this.wanted)
    const answer = (forwarded: ShareFetchRequest) => this.#answerFetch(forwarded)
    const response = await this.#pass(ApiKey.ShareFetch, request, answer, meanwhile)
    this.#follow(response.errorCode)
    return response
  }

  /** A first request for partitions of one topic, beside what the client does otherwise. */
  open(name: string, partitions: readonly number[]): Promise<ShareFetchResponse> {
    const { partitions: ofTopic, ...topic } = topicOf(name, false)
    const listed = partitions.map(partitionIndex => ({ ...ofTopic[0]!, partitionIndex }))
    const request = { ...shareFetchRequestDefaults(), ...member, topics: [{ ...topic, partitions: listed }] }
    return this.#pass(ApiKey.ShareFetch, request, forwarded => this.#answerFetch(forwarded))
  }

  async acknowledge(names: Names): Promise<ShareAcknowledgeResponse> {
    const topics = names.map(name => topicOf(name, true))
    const shareSessionEpoch = this.#epoch
    const request: ShareAcknowledgeRequest = {
      ...shareAcknowledgeRequestDefaults(),
      ...member,
      shareSessionEpoch,
      topics,
    }
    const answer = (forwarded: ShareAcknowledgeRequest) => this.#answerAcknowledge(forwarded)
    const response = await this.#pass(ApiKey.ShareAcknowledge, request, answer)
    this.#follow(response.errorCode)
    return response
  }

  nameOf(topicId: string): string {
    return this.#names.get(topicId) ?? assert.fail('an id that nobody asked for')
  }

  /** ShareSessionHandler.handleResponse. */
  #follow(errorCode: number): void {
    const isLost =
      errorCode === ErrorCode.SHARE_SESSION_NOT_FOUND || errorCode === ErrorCode.INVALID_SHARE_SESSION_EPOCH
    this.#epoch = isLost || this.#epoch === -1 ? 0 : this.#epoch + 1
  }

  async #pass<Request, Response>(
    key: ApiKey,
    request: Request,
    answer: (forwarded: Request) => Response,
    meanwhile?: () => void,
  ): Promise<Response> {
    const handler = this.#acl.handler(key, 1)! as ApiHandler<Request, Response>
    const header = { apiKey: key, apiVersion: 1, correlationId: 1, clientId: 'rig' }
    const exchange = new Exchange(this.#client, describeApi(key)!, header, request)
    const outcome = await handler.request!(request, exchange)
    ;[this.listed, this.acknowledged] = [[], []]
    if (outcome.kind === 'respond') return outcome.response as Response
    const response = answer(request)
    exchange.response = response
    meanwhile?.()
    await handler.response!(response, exchange)
    return response
  }

  #answerFetch(request: ShareFetchRequest): ShareFetchResponse {
    const { shareSessionEpoch: epoch, topics } = request
    const response = shareFetchResponseDefaults()
    if (epoch === 0) this.brokerSession = { epoch: 0, names: new Set() }
    response.errorCode = this.#sessionError(epoch)
    if (response.errorCode !== 0) return response
    const session = this.brokerSession!
    this.listed = topics.map(({ topicId }) => this.nameOf(topicId))
    // Of a partition that is listed twice Kafka takes the last acknowledgements.
    const last = [...new Map(topics.map(topic => [topic.topicId, topic])).values()]
    const acknowledged = last.filter(({ partitions }) => partitions[0]!.acknowledgementBatches.length > 0)
    this.acknowledged = acknowledged.map(({ topicId }) => this.nameOf(topicId))
    if (epoch === -1) {
      this.brokerSession = undefined
      return response
    }
    for (const name of this.listed) session.names.add(name)
    for (const { topicId } of request.forgottenTopicsData) session.names.delete(this.nameOf(topicId))
    session.epoch++
    response.responses = Array.from(session.names, name => ({
      topicId: idOf(name),
      partitions: [
        {
          ...shareFetchResponsePartitionDataDefaults(),
          records: Span.of(Buffer.from(name)),
          acquiredRecords: [{ firstOffset: 0n, lastOffset: 0n, deliveryCount: 1 }],
        },
      ],
    }))
    return response
  }

  #answerAcknowledge({ shareSessionEpoch: epoch, topics }: ShareAcknowledgeRequest): ShareAcknowledgeResponse {
    const response = { ...shareAcknowledgeResponseDefaults(), errorCode: this.#sessionError(epoch) }
    if (response.errorCode !== 0) return response
    // KafkaApis.handleShareAcknowledgeRequest: the last request releases the session, as a last fetch does.
    if (epoch === -1) this.brokerSession = undefined
    else this.brokerSession!.epoch++
    this.acknowledged = topics.map(({ topicId }) => this.nameOf(topicId))
    response.responses = topics.map(({ topicId }) => ({
      topicId,
      partitions: [shareAcknowledgeResponsePartitionDataDefaults()],
    }))
    return response
  }

  #sessionError(epoch: number): number {
    const { brokerSession } = this
    let error: number = 0
    if (brokerSession === undefined) error = ErrorCode.SHARE_SESSION_NOT_FOUND
    else if (epoch !== -1 && epoch !== brokerSession.epoch) error = ErrorCode.INVALID_SHARE_SESSION_EPOCH
    if (error !== 0) this.sessionErrors.push(error)
    return error
  }
}

function topicOf(name: string, isAcknowledged: boolean) {
  const batch = { firstOffset: 0n, lastOffset: 0n, acknowledgeTypes: [1] }
  return {
    topicId: idOf(name),
    partitions: [{ partitionIndex: 0, acknowledgementBatches: isAcknowledged ? [batch] : [] }],
  }
}
