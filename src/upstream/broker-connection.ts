/**
 * One connection to one broker, for one client. Sends frames, pairs answers with them in order (a Kafka broker answers
 * a connection's requests in the order it got them), and reads no further than somebody has room for.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { UpstreamError, WireError } from '../errors.ts'
import { Queue } from '../queue.ts'
import type { ByteBudget, Reservation } from '../wire/byte-budget.ts'
import type { Frame, ReceivedFrame } from '../wire/frame.ts'
import { FrameSplitter } from '../wire/frame-splitter.ts'
import { type Incoming, readFrom } from '../wire/incoming.ts'
import { Outbound } from '../wire/outbound.ts'
import type { ReceiveBuffers } from '../wire/receive-buffers.ts'
import { AnswerSlabs } from './answer-slabs.ts'

/** Takes an answer and what it holds of the budget; the taker releases it. */
export type OnAnswer = (frame: Frame, held: Reservation) => void

export interface OutgoingFrame {
  readonly chunks: readonly Buffer[]
  readonly byteLength: number
  /** Missing where the broker gives no answer (acks=0). */
  readonly onAnswer?: OnAnswer | undefined
  /** Released once the system has the frame's last byte. */
  readonly held?: Reservation | undefined
}

export interface BrokerConnectionOptions {
  readonly socket: Socket
  readonly budget: ByteBudget
  readonly buffers: ReceiveBuffers
  readonly frameBytesMax: number
  /** The connection can be written to again. */
  readonly onWritable: () => void
  /** The connection is gone, with the reason where there is one. Called once. */
  readonly onClosed: (error?: Error) => void
}

/** A correlation id and nothing else. */
const answerBytesMin = 4
/** An answer that came in one read needs no grant; a longer one asks before it is read on. */
const reserveFromBytes = 64 * 1024

export class BrokerConnection {
  readonly #socket: Socket
  readonly #budget: ByteBudget
  readonly #options: BrokerConnectionOptions
  readonly #splitter: FrameSplitter
  readonly #inbound: Incoming
  readonly #outbound: Outbound
  readonly #awaited = new Queue<OnAnswer>()
  #reservation: Reservation | undefined
  #isPausedByOwner = false
  #isReading = true
  #isClosed = false

  constructor(options: BrokerConnectionOptions) {
    const { socket, budget, buffers, frameBytesMax, onWritable } = options
    this.#socket = socket
    this.#budget = budget
    this.#options = options
    this.#splitter = new FrameSplitter({ payloadBytesMin: answerBytesMin, payloadBytesMax: frameBytesMax })
    this.#outbound = new Outbound(socket, { encrypts: socket instanceof TLSSocket, onDrained: onWritable })
    const slabs = new AnswerSlabs(buffers, () => this.#missingBytes())
    this.#inbound = readFrom(socket, buffers, slabs, chunk => this.#received(chunk))
    socket.on('error', cause => this.#close(lost(cause)))
    socket.on('close', () => this.#ended())
    socket.on('end', () => this.#ended())
  }

  /** False while so much waits to be sent that the client should not be read. */
  get isWritable(): boolean {
    return !this.#outbound.isFull
  }

  get isReading(): boolean {
    return this.#isReading
  }

  get partialBytes(): number {
    return this.#splitter.bufferedBytes
  }

  /** More requests follow in this turn of the event loop: they leave in one write. */
  gather(): void {
    this.#outbound.gather()
  }

  send({ chunks, byteLength, onAnswer, held }: OutgoingFrame): void {
    if (onAnswer !== undefined) this.#awaited.push(onAnswer)
    this.#outbound.send(chunks, byteLength, held)
  }

  pauseReading(): void {
    this.#isPausedByOwner = true
    this.#updateReading()
  }

  resumeReading(): void {
    if (!this.#isPausedByOwner) return
    this.#isPausedByOwner = false
    if (this.#splitter.bufferedBytes > 0) this.#pump()
    this.#updateReading()
  }

  /** Sends what was accepted, then closes. */
  end(): void {
    if (!this.#isClosed) this.#outbound.end()
  }

  destroy(): void {
    this.#close()
  }

  /** Of an answer that the budget has room for. */
  #missingBytes(): number {
    return this.#reservation?.isWaiting === false ? this.#splitter.missingBytes : 0
  }

  #received(chunk: Buffer): void {
    this.#splitter.push(chunk)
    this.#pump()
  }

  /** Hands out complete answers as long as their owner takes them. */
  #pump(): void {
    try {
      while (!this.#isPausedByOwner && !this.#isClosed) {
        const frame = this.#splitter.next()
        if (frame === undefined) break
        this.#answered(frame)
      }
    } catch (error) {
      this.#close(misbehaved(error))
      return
    }
    this.#reserve()
  }

  #answered(frame: ReceivedFrame): void {
    const onAnswer = this.#awaited.take()
    if (onAnswer === undefined) throw new WireError('an answer to no request')
    const held = this.#reservation ?? this.#budget.hold(frame.byteLength)
    this.#reservation = undefined
    frame.giveBack = this.#inbound.frameEnded()
    onAnswer(frame, held)
  }

  /** The announced length is asked for before the body is read; without a grant the broker waits. */
  #reserve(): void {
    const announced = this.#splitter.announcedBytes
    if (announced < reserveFromBytes || this.#reservation !== undefined || this.#isClosed) return
    this.#reservation = this.#budget.hold(0)
    this.#reservation.grow(announced, () => this.#updateReading())
    this.#updateReading()
  }

  /** What has been answered in full is handed out even where a pause was asked for: it is at most one read. */
  #ended(): void {
    this.#isPausedByOwner = false
    this.#pump()
    this.#close()
  }

  #updateReading(): void {
    const shouldRead = !this.#isPausedByOwner && this.#reservation?.isWaiting !== true
    if (shouldRead === this.#isReading || this.#isClosed) return
    this.#isReading = shouldRead
    if (shouldRead) this.#inbound.resume()
    else this.#inbound.pause()
  }

  #close(error?: Error): void {
    if (this.#isClosed) return
    this.#isClosed = true
    // In one piece with `destroy`: nothing may be read after the slabs have ended.
    this.#inbound.end()
    this.#reservation?.release()
    this.#reservation = undefined
    this.#outbound.abandon()
    this.#socket.destroy()
    this.#options.onClosed(error)
  }
}

function lost(cause: Error): UpstreamError {
  return new UpstreamError('VKITM_UPSTREAM_LOST', `the connection to the broker broke: ${cause.message}`, {
    cause,
    retriable: true,
  })
}

function misbehaved(cause: unknown): UpstreamError {
  return new UpstreamError('VKITM_UPSTREAM_MISBEHAVED', 'the broker sent what is no answer', {
    cause,
    retriable: false,
  })
}
