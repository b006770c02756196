/** The gateway's own questions to a broker, on a connection of its own, told apart by their client id. */
import type { Socket } from 'node:net'
import { UpstreamError, WireError } from '../errors.ts'
import { type ApiKey, apiName } from '../protocol/api-key.ts'
import { decodeResponse, encodeRequest, type RequestByKey, type ResponseByKey } from '../protocol/codec.ts'
import { brokerLimits } from '../wire/bounds.ts'
import type { ByteBudget } from '../wire/byte-budget.ts'
import { type Frame, lengthPrefixBytes } from '../wire/frame.ts'
import type { ReceiveBuffers } from '../wire/receive-buffers.ts'
import { BrokerConnection } from './broker-connection.ts'

export const gatewayClientId = 'vkitm'

export interface BrokerRequestsOptions {
  readonly socket: Socket
  readonly budget: ByteBudget
  readonly buffers: ReceiveBuffers
  readonly frameBytesMax: number
  /** Every wait of our own has a deadline. */
  readonly answerTimeoutMs: number
}

export class BrokerRequests {
  readonly #connection: BrokerConnection
  readonly #answerTimeoutMs: number
  #correlationId = 0
  #failure: Error | undefined
  readonly #waiting = new Set<(error: Error) => void>()

  constructor({ socket, budget, buffers, frameBytesMax, answerTimeoutMs }: BrokerRequestsOptions) {
    this.#answerTimeoutMs = answerTimeoutMs
    this.#connection = new BrokerConnection({
      socket,
      budget,
      buffers,
      frameBytesMax,
      onWritable: () => undefined,
      onClosed: error => this.#closed(error ?? closedByBroker()),
    })
  }

  /** It takes no more questions. */
  get isClosed(): boolean {
    return this.#failure !== undefined
  }

  /**
   * Asks and decodes the answer; rejects when the connection ends or the deadline passes. An answer that cannot be read
   * is nobody else's misfortune: the connection stays. One that is not to this question is, for all that wait.
   */
  ask<Key extends ApiKey>(key: Key, apiVersion: number, body: RequestByKey[Key]): Promise<ResponseByKey[Key]> {
    const correlationId = this.#correlationId++
    const chunks = encodeRequest(key, { apiVersion, correlationId, clientId: gatewayClientId }, body)
    const byteLength = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure)
      const timer = setTimeout(() => this.#closed(noAnswer(apiName(key), this.#answerTimeoutMs)), this.#answerTimeoutMs)
      const settle = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(fail)
      }
      const fail = (error: Error): void => {
        settle()
        reject(error)
      }
      this.#waiting.add(fail)
      this.#connection.send({
        chunks,
        byteLength,
        onAnswer: (frame, held) => {
          settle()
          try {
            const answer = decodeResponse(key, apiVersion, withoutPrefix(frame), brokerLimits)
            if (answer.correlationId === correlationId) resolve(answer.body)
            else this.#mistaken(reject)
          } catch (error) {
            reject(error as Error)
          } finally {
            held.release()
          }
        },
      })
    })
  }

  close(): void {
    this.#closed(new UpstreamError('VKITM_UPSTREAM_CLOSED', 'the gateway closed the connection', { retriable: true }))
  }

  #mistaken(reject: (error: Error) => void): void {
    const error = new WireError('answer to another request')
    reject(error)
    this.#closed(error)
  }

  #closed(error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#connection.destroy()
    for (const fail of [...this.#waiting]) fail(error)
  }
}

const closedByBroker = (): UpstreamError =>
  new UpstreamError('VKITM_UPSTREAM_CLOSED', 'the broker closed the connection', { retriable: true })

const noAnswer = (name: string, ms: number): UpstreamError =>
  new UpstreamError('VKITM_UPSTREAM_SILENT', `the broker did not answer ${name} within ${ms} ms`, { retriable: true })

function withoutPrefix({ chunks }: Frame): Buffer {
  return Buffer.concat(chunks).subarray(lengthPrefixBytes)
}
