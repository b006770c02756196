/** Consumers and one broker, with fetch's policy between them; by name (version 12) or by id (version 17). */
import assert from 'node:assert/strict'
import { createAcl } from '../../src/acl/acl.ts'
import type { Enforcement } from '../../src/acl/enforcement.ts'
import { enforceFetch } from '../../src/acl/fetch.ts'
import type { SessionRoom } from '../../src/acl/session-room.ts'
import { type Client, Exchange } from '../../src/pipeline/exchange.ts'
import type { HandlerOf, Stage } from '../../src/pipeline/stage.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { describeApi } from '../../src/protocol/api-table.ts'
import type { FetchRequest } from '../../src/protocol/generated/fetch-request.ts'
import type { FetchResponse } from '../../src/protocol/generated/fetch-response.ts'
import { TopicCatalog } from '../../src/topology/topic-catalog.ts'
import { plainPolicy } from './plain-policy.ts'
import { SessionBroker } from './session-broker.ts'

export interface Passage {
  /** As the broker got it; undefined where it got nothing. */
  readonly forwarded: FetchRequest | undefined
  /** Whether the bytes pass as they came, on the way out and on the way back. */
  readonly isRequestWhole: boolean
  readonly isResponseWhole: boolean
  readonly response: FetchResponse
}

export const idOf = (name: string): string => `AAAAAAAAAAAAAAAAAAAA${name.charAt(0)}Q`

export class FetchRig {
  readonly usesIds: boolean
  readonly broker: SessionBroker
  /** Topics that the gateway's cluster look-up does not know yet. */
  readonly hidden = new Set<string>()
  #policy = plainPolicy([])
  #now = 0
  #generation = 1
  readonly #acl: Stage

  constructor(usesIds: boolean, names: readonly string[], sessionRoom?: SessionRoom) {
    this.usesIds = usesIds
    this.broker = new SessionBroker(new Map(names.map(name => [idOf(name), name])))
    const known = () => [...this.broker.names].filter(([, name]) => !this.hidden.has(name))
    const topics = new TopicCatalog({
      // Every look-up is a second after the one before: nothing unknown is remembered for that long.
      now: () => (this.#now += 1_000),
      ttlMs: 1e12,
      questions: {
        byId: async ids => {
          // As it is on the wire.
          for (const id of ids) assert.match(id, /^[\w-]{22}$/)
          return known().flatMap(([topicId, name]) => (ids.includes(topicId) ? [{ name, topicId }] : []))
        },
        byName: async () => [],
        all: async () => [],
      },
    })
    const facts = { topics, autoCreatesTopics: () => false, refuses: () => false }
    const row = enforceFetch(sessionRoom === undefined ? facts : { ...facts, sessionRoom }) as Enforcement
    this.#acl = createAcl({
      rows: new Map([[ApiKey.Fetch, row]]),
      policies: () => ({ inForce: this.#policy, shadow: undefined }),
      log: { decided: () => undefined, filtered: () => undefined, differed: () => undefined },
      isEnforcing: true,
    })
  }

  allow(names: Iterable<string>): void {
    const rows = Array.from(names, name => `p, User:alice, topic, ${name}, read, allow`)
    this.#policy = plainPolicy(rows, ++this.#generation)
  }

  /** Through the policy to the broker and back; `meanwhile` runs once the broker has the request. */
  async pass(
    client: Client,
    request: FetchRequest,
    meanwhile?: () => void,
    usesIds: boolean = this.usesIds,
  ): Promise<Passage> {
    const apiVersion = usesIds ? 17 : 12
    const fetch = this.#acl.handler(ApiKey.Fetch, apiVersion)! as HandlerOf<typeof ApiKey.Fetch>
    const header = { apiKey: ApiKey.Fetch, apiVersion, correlationId: 1, clientId: 'rig' }
    const exchange = new Exchange(client, describeApi(ApiKey.Fetch)!, header, request)
    const outcome = await fetch.request!(request, exchange)
    if (outcome.kind === 'respond') {
      meanwhile?.()
      const response = outcome.response as FetchResponse
      return { forwarded: undefined, isRequestWhole: false, isResponseWhole: false, response }
    }
    assert.equal(outcome.kind, 'forward')
    const response = this.broker.answer(request, usesIds)
    exchange.response = response
    meanwhile?.()
    const back = await fetch.response!(response, exchange)
    assert.equal(back.kind, 'forward')
    return {
      forwarded: request,
      isRequestWhole: outcome.kind === 'forward' && !outcome.changed,
      isResponseWhole: back.kind === 'forward' && !back.changed,
      response,
    }
  }
}

export function clientOf(connection: number): Client {
  return Object.freeze({
    connection,
    listener: 'l',
    address: '1:1',
    ip: '1',
    principal: 'User:alice',
    nodeId: undefined,
  })
}
