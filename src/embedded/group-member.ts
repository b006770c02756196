/** One member of a group: what it said when it joined, and the answers it waits for. */
import { ErrorCode } from '../protocol/error-code.ts'

export interface Protocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface Introduction {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  /** Most wanted first. */
  readonly protocols: readonly Protocol[]
}

export interface JoinResult {
  readonly errorCode: ErrorCode
  readonly memberId: string
  readonly generation: number
  readonly protocolName: string | null
  readonly leaderId: string
  /** For the leader alone, who assigns. */
  readonly members: readonly {
    readonly memberId: string
    readonly instanceId: string | null
    readonly metadata: Buffer
  }[]
}

export interface SyncResult {
  readonly errorCode: ErrorCode
  readonly assignment: Buffer
}

const nothing = Buffer.alloc(0)

export function joinRefused(errorCode: ErrorCode, memberId: string): JoinResult {
  return { errorCode, memberId, generation: -1, protocolName: null, leaderId: '', members: [] }
}

export function syncRefused(errorCode: ErrorCode): SyncResult {
  return { errorCode, assignment: nothing }
}

export class Member {
  said: Introduction
  assignment: Buffer = nothing
  #join: ((result: JoinResult) => void) | undefined
  #sync: ((result: SyncResult) => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(said: Introduction) {
    this.said = said
  }

  get id(): string {
    return this.said.memberId
  }

  get isJoining(): boolean {
    return this.#join !== undefined
  }

  supports(protocolName: string): boolean {
    return this.said.protocols.some(({ name }) => name === protocolName)
  }

  metadataOf(protocolName: string): Buffer {
    return this.said.protocols.find(({ name }) => name === protocolName)?.metadata ?? nothing
  }

  hasSaid(protocols: readonly Protocol[]): boolean {
    const mine = this.said.protocols
    return (
      mine.length === protocols.length &&
      mine.every(({ name, metadata }, at) => name === protocols[at]!.name && metadata.equals(protocols[at]!.metadata))
    )
  }

  awaitJoin(): Promise<JoinResult> {
    // A member that asks again has given up its first question.
    this.joined(joinRefused(ErrorCode.REBALANCE_IN_PROGRESS, this.id))
    return new Promise(resolve => {
      this.#join = resolve
    })
  }

  joined(result: JoinResult): void {
    this.#join?.(result)
    this.#join = undefined
  }

  awaitSync(): Promise<SyncResult> {
    this.synced(syncRefused(ErrorCode.REBALANCE_IN_PROGRESS))
    return new Promise(resolve => {
      this.#sync = resolve
    })
  }

  synced(result: SyncResult): void {
    this.#sync?.(result)
    this.#sync = undefined
  }

  /** Starts the session anew; while it waits for an answer of ours, a member cannot be late. */
  beats(onExpired: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (this.#join === undefined && this.#sync === undefined) onExpired()
      else this.beats(onExpired)
    }, this.said.sessionTimeoutMs)
  }

  /** Answers what it still waits for. */
  leaves(errorCode: ErrorCode): void {
    clearTimeout(this.#timer)
    this.joined(joinRefused(errorCode, this.id))
    this.synced(syncRefused(errorCode))
  }
}
