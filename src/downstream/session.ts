/**
 * One client connection after its handshake: takes frames, has them judged, sends them on, and returns the answers in
 * order. Knows sockets, order and limits; what a message means is the pipeline's, where it goes the upstream's.
 *
 *   ready ──drain()──▶ draining ──last answer has left──▶ closing ──▶ closed
 *     └── either side ends, a deadline passes, a frame is refused ──▶ closing or closed
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { VkitmError } from '../errors.ts'
import { answerTimeoutMs } from '../pipeline/answer-deadline.ts'
import type { Client, Exchange } from '../pipeline/exchange.ts'
import type { Answer, Opened } from '../pipeline/pipeline.ts'
import { interBrokerKeys } from '../pipeline/served-apis.ts'
import type { RequestOutcome, ResponseOutcome } from '../pipeline/stage.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { RequestHeader } from '../protocol/request-header.ts'
import type { Reservation } from '../wire/byte-budget.ts'
import type { Frame } from '../wire/frame.ts'
import { FrameSplitter } from '../wire/frame-splitter.ts'
import { type Incoming, readFrom } from '../wire/incoming.ts'
import { Outbound } from '../wire/outbound.ts'
import { FrameInProgress } from './frame-in-progress.ts'
import { PendingAnswer, PendingAnswers } from './pending-answers.ts'
import { RequestSlabs } from './request-slabs.ts'
import type { SessionContext } from './session-context.ts'
import { StallWatch } from './stall-watch.ts'
import { unsupportedApiVersions } from './unsupported-api-versions.ts'
import type { OutgoingRequest, Upstream } from './upstream.ts'

/** Key, version and correlation id. */
const requestBytesMin = 8
/** A client that leaves more answers than this unread gets no further ones from its broker. */
const unreadBytesMax = 512 * 1024
/** Either side's end closes the other within a second. */
const closingMs = 900

const never = Number.POSITIVE_INFINITY

export class Session {
  readonly client: Client
  readonly #context: SessionContext
  readonly #socket: Socket
  readonly #splitter: FrameSplitter
  readonly #inbound: Incoming
  readonly #outbound: Outbound
  readonly #pending: PendingAnswers
  readonly #onClosed: () => void
  #state: 'ready' | 'draining' | 'closing' | 'closed' = 'ready'
  #upstream: Upstream | undefined
  /** A stage or the dialling of the broker has to finish before the next frame is looked at. */
  #isWaiting = false
  /** Requests are looked at as they come; else no time of theirs runs. */
  #isTaking = true
  /** Held by the frame that is being judged or waits for its broker. */
  #taken: Reservation | undefined
  readonly #incoming: FrameInProgress
  #lastActivityMs: number
  #lastAnswerAtMs = 0
  readonly #granted = (): void => this.#updateReading()
  readonly #takenByClient = new StallWatch(() => this.#outbound.progress)
  /** An answer may begin late, but once begun it goes on; what nobody reads cannot. */
  readonly #givenByBroker = new StallWatch(
    () => (this.#upstream?.isReading && this.#upstream.partialBytes) || undefined,
  )

  constructor(socket: Socket, client: Client, context: SessionContext, onClosed: () => void) {
    this.client = client
    this.#socket = socket
    this.#context = context
    this.#onClosed = onClosed
    const { budget, buffers, limits, now, sweep } = context
    this.#pending = new PendingAnswers(limits.inFlight)
    this.#splitter = new FrameSplitter({ payloadBytesMin: requestBytesMin, payloadBytesMax: limits.frameBytes })
    this.#outbound = new Outbound(socket, { encrypts: socket instanceof TLSSocket, onDrained: () => this.#drained() })
    this.#lastActivityMs = now()
    this.#incoming = new FrameInProgress(budget, limits, this.#lastActivityMs)
    const slabs = new RequestSlabs({
      buffers,
      splitter: this.#splitter,
      payloadBytesMax: limits.frameBytes,
      mayBegin: (slabBytes, announced) => this.#mayBegin(slabBytes, announced),
    })
    this.#inbound = readFrom(socket, buffers, slabs, chunk => this.#received(chunk))
    socket.on('end', () => this.#finish())
    socket.on('error', error => this.#broken(error))
    socket.on('close', () => this.destroy())
    sweep.add(this)
  }

  /** Answers what was asked, takes nothing new, then closes. */
  drain(): void {
    if (this.#state !== 'ready') return
    this.#state = 'draining'
    this.#updateReading()
    this.#finishIfDrained()
  }

  checkDeadlines(nowMs: number): void {
    const { limits } = this.#context
    const lateness = this.#incoming.lateness(nowMs)
    if (lateness !== undefined) return this.#expire(lateness)
    if (this.#takenByClient.isStuck(nowMs, limits.writeStall))
      return this.#expire('the client took no byte for writeStall')
    if (this.#givenByBroker.isStuck(nowMs, limits.frameTimeout))
      return this.#expire('the broker did not finish its answer')
    const first = this.#pending.first
    if (first !== undefined && nowMs > this.#answerDeadlineMs(first)) {
      return this.#expire('the broker did not answer in the time that the request names')
    }
    const isIdle = first === undefined && !this.#incoming.isRunning
    if (isIdle && nowMs > this.#lastActivityMs + limits.idleTimeout) this.#expire('idle')
  }

  /** A broker takes one request of a connection after the other: the time of one begins with the answer to the one before. */
  #answerDeadlineMs({ sentAtMs, timeoutMs }: PendingAnswer): number {
    if (this.#upstream?.isReading !== true) return never
    return Math.max(sentAtMs, this.#lastAnswerAtMs) + timeoutMs
  }

  #received(chunk: Buffer): void {
    this.#lastActivityMs = this.#context.now()
    this.#splitter.push(chunk)
    this.#pump()
  }

  /** What is only read ahead has to stop soon; what comes into a slab is counted before it is here. */
  #mayBegin(slabBytes: number, announced: number): boolean {
    this.#lastActivityMs = this.#context.now()
    return this.#isTaking && this.#incoming.reserve(slabBytes, announced, this.#lastActivityMs)
  }

  /** Takes complete frames as long as there is room for what they cause. */
  #pump(): void {
    let isBlocked = this.#isBlocked()
    try {
      for (; !isBlocked; isBlocked = this.#isBlocked()) {
        const frame = this.#splitter.next()
        if (frame === undefined) break
        this.#taken = this.#incoming.complete()
        if (this.#splitter.bufferedBytes > 0) this.#upstream?.gather()
        frame.giveBack = this.#inbound.frameEnded()
        this.#take(frame)
      }
    } catch (error) {
      return this.#fail(error)
    }
    if (!isBlocked) this.#watchFrameInProgress()
    this.#updateReading(isBlocked)
  }

  #isBlocked(): boolean {
    return (
      this.#state !== 'ready' ||
      this.#isWaiting ||
      this.#pending.isFull ||
      this.#upstream?.isWritable === false ||
      this.#outbound.pendingBytes > unreadBytesMax
    )
  }

  #take(frame: Frame): void {
    const { pipeline, metrics } = this.#context
    metrics.receivedFromClient(frame.byteLength)
    const opened = pipeline.open(frame, this.client)
    if (!('exchange' in opened)) return this.#refuse(opened.header)
    const { header } = opened.exchange
    metrics.request(header.apiKey, header.apiVersion)
    const outcome = pipeline.judgeRequest(opened.exchange)
    if (outcome instanceof Promise) this.#wait(outcome, settled => this.#conclude(settled, opened, frame))
    else this.#conclude(outcome, opened, frame)
  }

  #conclude(outcome: RequestOutcome, { exchange, isTrimmed }: Opened, frame: Frame): void {
    if (outcome.kind === 'close') return this.#refuseAndClose(exchange.header, outcome.reason, outcome.afterAnswers)
    if (outcome.kind === 'respond') {
      this.#answerHere(exchange, outcome.response)
      return outcome.closes === true ? this.drain() : undefined
    }
    if (this.#taken !== undefined && this.#context.leaveForGood.requests.has(exchange.api.key)) {
      this.#taken.onLeft = frame.giveBack
    }
    const bytes = outcome.changed || isTrimmed ? this.#context.pipeline.encodeRequest(exchange) : frame
    const isLast = outcome.isLast === true
    if (this.#upstream !== undefined) return this.#send(this.#upstream, exchange, bytes, isLast)
    this.#wait(this.#openUpstream(), upstream => this.#send(upstream, exchange, bytes, isLast))
  }

  async #openUpstream(): Promise<Upstream> {
    const upstream = await this.#context.openUpstream(this.client, {
      onWritable: () => this.#pump(),
      onClosed: error => this.#upstreamClosed(error),
    })
    this.#upstream = upstream
    if (this.#isOver) upstream.destroy()
    return upstream
  }

  #send(upstream: Upstream, exchange: Exchange, { chunks, byteLength }: Answer, isLast: boolean): void {
    const { metrics, now } = this.#context
    const held = this.#taken
    this.#taken = undefined
    metrics.sentToUpstream(byteLength)
    const leavesForGood = held?.onLeft !== undefined
    let onAnswer: OutgoingRequest['onAnswer']
    if (exchange.isAnswered) {
      const entry = new PendingAnswer(exchange, this.#lastActivityMs)
      if (!leavesForGood) entry.keepRequest(this.#context.budget, byteLength)
      entry.sentAtMs = now()
      entry.timeoutMs = answerTimeoutMs(exchange)
      this.#pending.push(entry)
      onAnswer = (frame, answerHeld) => this.#answered(entry, frame, answerHeld)
    }
    upstream.send({ exchange, chunks, byteLength, onAnswer, held })
    // Whoever looked for it later would find another's bytes in it.
    if (leavesForGood) exchange.request = undefined
    if (isLast) this.drain()
  }

  #answered(entry: PendingAnswer, frame: Frame, held: Reservation): void {
    if (this.#state === 'closed') return held.release()
    const { pipeline, leaveForGood, metrics, now } = this.#context
    entry.answeredAtMs = this.#lastAnswerAtMs = this.#lastActivityMs = now()
    entry.held = held
    if (frame.giveBack !== undefined && leaveForGood.answers.has(entry.exchange.api.key)) held.onLeft = frame.giveBack
    metrics.receivedFromUpstream(frame.byteLength)
    try {
      const outcome = pipeline.judgeResponse(entry.exchange, frame)
      if (outcome instanceof Promise)
        outcome.then(settled => this.#ready(entry, settled, frame)).catch(error => this.#fail(error))
      else this.#ready(entry, outcome, frame)
    } catch (error) {
      this.#fail(error)
    }
  }

  #ready(entry: PendingAnswer, outcome: ResponseOutcome, frame: Frame): void {
    if (this.#state === 'closed') return
    if (outcome.kind === 'close') return this.#refuseAndClose(entry.exchange.header, outcome.reason)
    const wasFull = this.#pending.isFull
    this.#pending.answered(entry, outcome.changed ? this.#context.pipeline.encodeResponse(entry.exchange) : frame)
    this.#sendReady()
    if (wasFull && !this.#isTaking) this.#pump()
  }

  #answerHere(exchange: Exchange, response: unknown): void {
    this.#taken?.release()
    this.#taken = undefined
    if (!exchange.isAnswered) return
    const entry = new PendingAnswer(exchange, this.#lastActivityMs)
    exchange.response = response
    const answer = this.#context.pipeline.encodeResponse(exchange)
    entry.keepAnswer(this.#context.budget, answer.byteLength)
    this.#pending.push(entry, answer)
    this.#sendReady()
  }

  /** Sends every answer whose turn has come. */
  #sendReady(): void {
    for (let entry = this.#pending.takeReady(); entry !== undefined; entry = this.#pending.takeReady()) {
      const { chunks, byteLength } = entry.answer!
      if (this.#pending.isFirstReady || (this.#upstream?.partialBytes ?? 0) > 0) this.#outbound.gather()
      this.#outbound.send(chunks, byteLength, entry.held)
      entry.kept?.release()
      entry.measure(this.#context.metrics, byteLength, this.#context.now())
    }
    if (this.#outbound.pendingBytes > unreadBytesMax) this.#upstream?.pauseReading()
    if (this.#state === 'draining') this.#finishIfDrained()
  }

  /** The client has taken most of what was sent to it: there is room for more. */
  #drained(): void {
    this.#upstream?.resumeReading()
    if (this.#state === 'draining') this.#finishIfDrained()
    this.#pump()
  }

  /** Runs `then` when `promise` is there; no frame is looked at before. */
  #wait<T>(promise: Promise<T>, then: (value: T) => void): void {
    this.#isWaiting = true
    promise
      .then(value => {
        this.#isWaiting = false
        if (this.#isOver) return
        then(value)
        this.#pump()
        if (this.#state === 'draining') this.#finishIfDrained()
      })
      .catch(error => this.#fail(error))
  }

  #watchFrameInProgress(): void {
    const { bufferedBytes, announcedBytes } = this.#splitter
    if (bufferedBytes === 0) return
    this.#incoming.grew(bufferedBytes, announcedBytes, this.#lastActivityMs, this.#granted)
  }

  #updateReading(isBlocked = this.#isBlocked()): void {
    if (this.#state === 'closed') return
    const isTaking = !isBlocked && !this.#incoming.isWaiting
    if (isTaking !== this.#isTaking) this.#incoming[isTaking ? 'resumed' : 'paused'](this.#context.now())
    this.#isTaking = isTaking
    if (isTaking || this.#mayReadAhead()) this.#inbound.resume()
    else this.#inbound.pause()
  }

  /** A client that only waits for answers is read on, so that its end is noticed; what it sends instead stops that. */
  #mayReadAhead(): boolean {
    return !this.#isOver && !this.#isWaiting && !this.#incoming.isWaiting && this.#splitter.bufferedBytes === 0
  }

  /** A request that no broker sees: Kafka closes the connection, except where it says which ApiVersions it knows. */
  #refuse(header: RequestHeader): void {
    if (header.apiKey === ApiKey.ApiVersions) {
      const exchange = unsupportedApiVersions(this.client, header, this.#context.pipeline.served)
      return this.#answerHere(exchange, exchange.response)
    }
    this.#refuseAndClose(header, interBrokerKeys.has(header.apiKey) ? 'inter-broker' : 'not served')
  }

  #refuseAndClose({ apiKey, apiVersion }: RequestHeader, reason: string, afterAnswers = false): void {
    const { metrics, log } = this.#context
    metrics.refused(apiKey, reason)
    log.warn({ ...this.#who(), apiKey, apiVersion, details: { reason } }, 'request refused, connection closed')
    this.#taken?.release()
    this.#taken = undefined
    if (afterAnswers) this.drain()
    else this.destroy()
  }

  #expire(reason: string): void {
    const { metrics, log } = this.#context
    metrics.error(reason)
    log.info({ ...this.#who(), details: { reason } }, 'connection closed')
    this.destroy()
  }

  /** The client's own connection broke: nothing to say to anybody but the upstream. */
  #broken(error: Error): void {
    this.#context.log.debug({ ...this.#who(), err: error }, 'client connection broke')
    this.destroy()
  }

  #fail(error: unknown): void {
    if (this.#state === 'closed') return
    const { metrics, log } = this.#context
    const isExpected = error instanceof VkitmError
    metrics.error(isExpected ? error.code : 'VKITM_INTERNAL')
    log[isExpected ? 'warn' : 'error']({ ...this.#who(), err: error }, 'connection closed')
    this.destroy()
  }

  #upstreamClosed(error: Error | undefined): void {
    if (this.#isOver) return
    const { metrics, log } = this.#context
    if (error !== undefined) {
      metrics.error(error instanceof VkitmError ? error.code : 'VKITM_INTERNAL')
      log.warn({ ...this.#who(), err: error }, 'broker connection lost, client connection closed')
    }
    this.#finish()
  }

  get #isOver(): boolean {
    return this.#state === 'closing' || this.#state === 'closed'
  }

  #finishIfDrained(): void {
    if (this.#pending.count === 0 && !this.#isWaiting) this.#finish()
  }

  /** Ends both sides with what they are still owed, within a second. */
  #finish(): void {
    if (this.#isOver) return
    this.#state = 'closing'
    this.#updateReading()
    this.#upstream?.end()
    this.#outbound.end()
    setTimeout(() => this.destroy(), closingMs).unref()
  }

  destroy(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#context.sweep.remove(this)
    this.#inbound.end()
    this.#incoming.release()
    this.#taken?.release()
    this.#pending.abandon()
    this.#outbound.abandon()
    this.#socket.destroy()
    this.#upstream?.destroy()
    this.#onClosed()
  }

  #who() {
    const { connection, listener, address, principal, nodeId } = this.client
    return { connection, listener, client: address, principal, nodeId }
  }
}
