/**
 * A consumer group of the classic protocol.
 *
 *            join                      all have joined, or the rebalance timeout
 *   Empty ─────────▶ PreparingRebalance ─────────▶ CompletingRebalance
 *     ▲                 ▲   ▲  │                        │   │
 *     └── nobody left ──┼───┼──┘   a member joins,      │   │ the leader has assigned
 *                       │   └───── leaves or is late ───┘   ▼
 *                       └──────────────────────────────── Stable
 *
 * Static members are known by their instance id and fence each other, but their return always rebalances.
 */
import { randomUUID } from 'node:crypto'
import { ErrorCode } from '../protocol/error-code.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import {
  type Introduction,
  type JoinResult,
  joinRefused,
  Member,
  type SyncResult,
  syncRefused,
} from './group-member.ts'

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

export interface Identity {
  readonly memberId: string
  readonly instanceId: string | null
}

export interface Standing extends Identity {
  readonly generation: number
}

export interface JoinRequest extends Introduction {
  readonly protocolType: string
  /** From JoinGroup 4 on (KIP-394): first learn your id, then join with it. */
  readonly learnsIdFirst: boolean
}

export class Group {
  readonly id: string
  readonly offsets = new CommittedOffsets()
  readonly #initialDelayMs: number
  readonly #members = new Map<string, Member>()
  /** Ids given out whose owners have not joined with them yet. */
  readonly #expected = new Map<string, NodeJS.Timeout>()
  #state: GroupState = 'Empty'
  #protocolType: string | null = null
  #protocolName: string | null = null
  #generation = 0
  #leaderId = ''
  #rebalanceTimer: NodeJS.Timeout | undefined
  #isDelayed = false

  constructor(id: string, initialDelayMs: number) {
    this.id = id
    this.#initialDelayMs = initialDelayMs
  }

  get state(): GroupState {
    return this.#state
  }

  get protocolType(): string | null {
    return this.#protocolType
  }

  get protocolName(): string | null {
    return this.#protocolName
  }

  get members(): readonly Member[] {
    return [...this.#members.values()]
  }

  join(request: JoinRequest): Promise<JoinResult> | JoinResult {
    const refuse = (errorCode: ErrorCode, memberId = request.memberId) => joinRefused(errorCode, memberId)
    if (!this.#fits(request)) return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    if (request.memberId === '') return this.#joinAsNew(request)
    if (this.#expected.has(request.memberId)) {
      this.#forget(request.memberId)
      return this.#add(request)
    }
    const member = this.#find(request)
    return typeof member === 'number' ? refuse(member) : this.#rejoin(member, request)
  }

  sync(standing: Standing, assignments: ReadonlyMap<string, Buffer>): Promise<SyncResult> | SyncResult {
    const member = this.#judge(standing)
    if (typeof member === 'number') return syncRefused(member)
    member.beats(() => this.#remove(member))
    if (this.#state === 'PreparingRebalance') return syncRefused(ErrorCode.REBALANCE_IN_PROGRESS)
    if (this.#state === 'Stable') return { errorCode: ErrorCode.NONE, assignment: member.assignment }
    const result = member.awaitSync()
    if (member.id === this.#leaderId) this.#assign(assignments)
    return result
  }

  heartbeat(standing: Standing): ErrorCode {
    const member = this.#judge(standing)
    if (typeof member === 'number') return member
    member.beats(() => this.#remove(member))
    return this.#state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  leave({ memberId, instanceId }: Identity): ErrorCode {
    if (this.#expected.has(memberId)) {
      this.#forget(memberId)
      this.#completeWhereAllJoined()
      return ErrorCode.NONE
    }
    // Administrators remove static members by instance id alone.
    const known = instanceId !== null && memberId === '' ? this.#static(instanceId) : undefined
    const member = known ?? this.#find({ memberId, instanceId })
    if (typeof member === 'number') return member
    this.#remove(member)
    return ErrorCode.NONE
  }

  /** May this member commit offsets now? Outside of any generation only where the group has no members. */
  judgeCommit(standing: Standing): ErrorCode {
    if (standing.generation < 0 && this.#state === 'Empty') return ErrorCode.NONE
    const member = this.#judge(standing)
    if (typeof member === 'number') return member
    if (this.#state === 'CompletingRebalance') return ErrorCode.REBALANCE_IN_PROGRESS
    member.beats(() => this.#remove(member))
    return ErrorCode.NONE
  }

  /** No timer and no waiting answer survives it. */
  close(): void {
    this.#state = 'Dead'
    clearTimeout(this.#rebalanceTimer)
    for (const memberId of [...this.#expected.keys()]) this.#forget(memberId)
    for (const member of this.#members.values()) member.leaves(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    this.#members.clear()
  }

  #fits({ protocolType, protocols }: JoinRequest): boolean {
    if (protocolType === '' || protocols.length === 0) return false
    if (this.#members.size === 0) return true
    if (protocolType !== this.#protocolType) return false
    return protocols.some(({ name }) => this.members.every(member => member.supports(name)))
  }

  #joinAsNew(request: JoinRequest): Promise<JoinResult> | JoinResult {
    const memberId = `${request.instanceId ?? request.clientId}-${randomUUID()}`
    if (request.instanceId !== null) {
      const before = this.#static(request.instanceId)
      if (before !== undefined) {
        this.#members.delete(before.id)
        before.leaves(ErrorCode.FENCED_INSTANCE_ID)
      }
    } else if (request.learnsIdFirst) {
      this.#expected.set(
        memberId,
        setTimeout(() => this.leave({ memberId, instanceId: null }), request.sessionTimeoutMs),
      )
      return joinRefused(ErrorCode.MEMBER_ID_REQUIRED, memberId)
    }
    return this.#add({ ...request, memberId })
  }

  #add(request: JoinRequest): Promise<JoinResult> {
    const member = new Member(request)
    this.#protocolType = request.protocolType
    const isFirst = this.#members.size === 0
    this.#members.set(member.id, member)
    member.beats(() => this.#remove(member))
    const result = member.awaitJoin()
    this.#rebalance(isFirst)
    return result
  }

  #rejoin(member: Member, request: JoinRequest): Promise<JoinResult> | JoinResult {
    const isUnchanged = member.hasSaid(request.protocols)
    const isLate = this.#state === 'CompletingRebalance' || (this.#state === 'Stable' && member.id !== this.#leaderId)
    member.said = request
    member.beats(() => this.#remove(member))
    // It missed the answer to its last JoinGroup: the generation it belongs to still stands.
    if (isUnchanged && isLate) return this.#joinResult(member)
    const result = member.awaitJoin()
    this.#rebalance(false)
    return result
  }

  #rebalance(isFirst: boolean): void {
    if (this.#state !== 'PreparingRebalance') {
      for (const member of this.#members.values()) member.synced(syncRefused(ErrorCode.REBALANCE_IN_PROGRESS))
      this.#state = 'PreparingRebalance'
      this.#isDelayed = isFirst && this.#initialDelayMs > 0
      this.#completeAfter(this.#isDelayed ? this.#initialDelayMs : this.#rebalanceTimeoutMs)
    }
    this.#completeWhereAllJoined()
  }

  get #rebalanceTimeoutMs(): number {
    return Math.max(...this.members.map(({ said }) => said.rebalanceTimeoutMs))
  }

  #completeAfter(ms: number): void {
    clearTimeout(this.#rebalanceTimer)
    this.#rebalanceTimer = setTimeout(() => this.#complete(), ms)
  }

  #completeWhereAllJoined(): void {
    if (this.#state !== 'PreparingRebalance' || this.#isDelayed || this.#expected.size > 0) return
    if (this.members.every(member => member.isJoining)) this.#complete()
  }

  #complete(): void {
    clearTimeout(this.#rebalanceTimer)
    this.#isDelayed = false
    for (const member of this.members) {
      if (member.isJoining) continue
      this.#members.delete(member.id)
      member.leaves(ErrorCode.UNKNOWN_MEMBER_ID)
    }
    this.#generation++
    const [first] = this.members
    if (first === undefined) {
      this.#state = 'Empty'
      this.#protocolName = null
      this.#leaderId = ''
      return
    }
    this.#state = 'CompletingRebalance'
    this.#protocolName = this.#electProtocol()
    if (!this.#members.has(this.#leaderId)) this.#leaderId = first.id
    for (const member of this.members) {
      member.assignment = syncRefused(ErrorCode.NONE).assignment
      member.beats(() => this.#remove(member))
      member.joined(this.#joinResult(member))
    }
  }

  #joinResult(member: Member): JoinResult {
    const protocolName = this.#protocolName ?? ''
    const isLeader = member.id === this.#leaderId
    return {
      errorCode: ErrorCode.NONE,
      memberId: member.id,
      generation: this.#generation,
      protocolName,
      leaderId: this.#leaderId,
      members: isLeader
        ? this.members.map(each => ({
            memberId: each.id,
            instanceId: each.said.instanceId,
            metadata: each.metadataOf(protocolName),
          }))
        : [],
    }
  }

  /** Each votes for the first of its protocols that all can speak; the most votes win. */
  #electProtocol(): string {
    const votes = new Map<string, number>()
    for (const member of this.members) {
      const choice = member.said.protocols.find(({ name }) => this.members.every(each => each.supports(name)))
      if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
    }
    return [...votes].sort(([, one], [, other]) => other - one)[0]![0]
  }

  #assign(assignments: ReadonlyMap<string, Buffer>): void {
    this.#state = 'Stable'
    for (const member of this.members) {
      member.assignment = assignments.get(member.id) ?? member.assignment
      member.beats(() => this.#remove(member))
      member.synced({ errorCode: ErrorCode.NONE, assignment: member.assignment })
    }
  }

  #remove(member: Member): void {
    if (!this.#members.delete(member.id)) return
    member.leaves(ErrorCode.UNKNOWN_MEMBER_ID)
    if (this.#members.size > 0) this.#rebalance(false)
    else this.#complete()
  }

  #forget(memberId: string): void {
    clearTimeout(this.#expected.get(memberId))
    this.#expected.delete(memberId)
  }

  #static(instanceId: string): Member | undefined {
    return this.members.find(({ said }) => said.instanceId === instanceId)
  }

  #find({ memberId, instanceId }: Identity): Member | ErrorCode {
    const known = instanceId === null ? undefined : this.#static(instanceId)
    if (known !== undefined && known.id !== memberId) return ErrorCode.FENCED_INSTANCE_ID
    return known ?? this.#members.get(memberId) ?? ErrorCode.UNKNOWN_MEMBER_ID
  }

  #judge({ memberId, instanceId, generation }: Standing): Member | ErrorCode {
    const member = this.#find({ memberId, instanceId })
    if (typeof member === 'number') return member
    return generation === this.#generation ? member : ErrorCode.ILLEGAL_GENERATION
  }
}
