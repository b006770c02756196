/** One of the two that are compared: clients reach it by certificate, the rig itself as a super user. */
import type { ConnectionOptions } from 'node:tls'
import { ApiKey } from '../../../src/protocol/api-key.ts'
import type { RequestByKey, ResponseByKey } from '../../../src/protocol/codec.ts'
import type { SaslClientSession } from '../../../src/sasl/conversation.ts'
import { connectRaw, type RawClient } from '../raw-client.ts'
import { completeBody, type PartialBody } from './complete-body.ts'
import { Connection } from './connection.ts'
import type { Facts, Producer, Step } from './step.ts'
import type { PrincipalName } from './world.ts'

export interface Door {
  /** How a client of this name connects. */
  clientOptions(principal: PrincipalName): ConnectionOptions
  /** How it logs in then; undefined where its certificate names it. */
  login(principal: PrincipalName): SaslClientSession | undefined
  /** A broker's plaintext port, where the rig is a super user. */
  readonly adminPort: number
}

const nobodysProducer: Producer = { producerId: 31_337n, producerEpoch: 0 }

export class Side implements Facts {
  readonly name: string
  readonly notes = new Map<string, unknown>()
  /** Every id that was ever seen, for reading answers. */
  readonly nameOfId = new Map<string, string>()
  readonly #door: Door
  readonly #admin: RawClient
  readonly #idOfName = new Map<string, string>()
  readonly #producers = new Map<string, Producer>()
  readonly #connections = new Map<string, Connection>()

  private constructor(name: string, door: Door, admin: RawClient) {
    this.name = name
    this.#door = door
    this.#admin = admin
  }

  static async open(name: string, door: Door): Promise<Side> {
    return new Side(name, door, await connectRaw({ port: door.adminPort, clientId: 'rig' }))
  }

  /** Asks as the super user. */
  async admin<Key extends ApiKey>(key: Key, version: number, given: PartialBody<Key>): Promise<ResponseByKey[Key]> {
    return this.#admin.ask(key, version, completeBody(key, version, given))
  }

  /** What clients are offered here who show a certificate. */
  async versions(): Promise<ReadonlyMap<number, readonly [number, number]>> {
    const connection = await this.connection({ principal: 'alice', connection: 'versions' })
    const body = completeBody(ApiKey.ApiVersions, 0, {})
    const outcome = await connection.ask({ key: ApiKey.ApiVersions, version: 0, body })
    if (outcome.kind !== 'answered') throw new Error(`ApiVersions of ${this.name}: ${outcome.kind}`)
    return new Map(
      outcome.response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]),
    )
  }

  async connection({ principal, connection }: Pick<Step, 'principal' | 'connection'>): Promise<Connection> {
    const name = `${principal} ${connection}`
    const known = this.#connections.get(name)
    if (known !== undefined && !known.isClosed) return known
    const opened = await Connection.open(this.#door.clientOptions(principal), this.#door.login(principal))
    this.#connections.set(name, opened)
    return opened
  }

  topicId(name: string): string {
    return this.#idOfName.get(name) ?? strangerId(name)
  }

  producer(transactionalId: string): Producer {
    return this.#producers.get(transactionalId) ?? nobodysProducer
  }

  /** Reads which topics there are now; gives their names. */
  async lookAround(): Promise<string[]> {
    const { topics } = await this.admin(ApiKey.Metadata, 12, { topics: null, allowAutoTopicCreation: false })
    this.#idOfName.clear()
    for (const { name, topicId } of topics) {
      this.#idOfName.set(name!, topicId)
      this.nameOfId.set(topicId, name!)
    }
    return topics.map(({ name }) => name!).sort()
  }

  /** Takes from an answer what later requests need. */
  learn<Key extends ApiKey>(key: Key, body: RequestByKey[Key], response: ResponseByKey[Key]): void {
    if (key === ApiKey.InitProducerId) {
      const { transactionalId } = body as RequestByKey[typeof ApiKey.InitProducerId]
      if (transactionalId !== null) this.#note(transactionalId, response as Producer)
    } else if (key === ApiKey.EndTxn) {
      const { transactionalId } = body as RequestByKey[typeof ApiKey.EndTxn]
      this.#note(transactionalId, response as Producer)
    }
  }

  #note(transactionalId: string, { producerId, producerEpoch }: Producer): void {
    if (producerId >= 0n) this.#producers.set(transactionalId, { producerId, producerEpoch })
  }

  closeClients(): void {
    for (const connection of this.#connections.values()) connection.close()
    this.#connections.clear()
    this.notes.clear()
  }

  async close(): Promise<void> {
    this.closeClients()
    await this.#admin.close()
  }
}

/** Looks like any id and belongs to nothing. */
function strangerId(name: string): string {
  const bytes = Buffer.alloc(16, 0xa5)
  Buffer.from(name).copy(bytes, 0, 0, 15)
  return bytes.toString('base64url')
}
