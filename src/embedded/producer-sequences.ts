/** What one partition remembers of its idempotent producers, so that a batch sent twice is written once (KIP-98). */
import { ErrorCode } from '../protocol/error-code.ts'
import type { RecordBatch } from '../records/record-batch.ts'

interface Appended {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: bigint
}

interface ProducerState {
  readonly epoch: number
  /** Oldest first. */
  readonly recent: Appended[]
}

export type SequenceVerdict =
  | { readonly kind: 'append' }
  /** Written before, at this offset. */
  | { readonly kind: 'duplicate'; readonly baseOffset: bigint }
  | { readonly kind: 'refuse'; readonly errorCode: ErrorCode }

/** Kafka remembers as many: a client has at most five requests in flight. */
const rememberedBatches = 5
const sequences = 2 ** 31

export class ProducerSequences {
  readonly #producers = new Map<bigint, ProducerState>()

  judge(batch: RecordBatch): SequenceVerdict {
    const known = batch.producerId < 0n ? undefined : this.#producers.get(batch.producerId)
    // A producer that this partition has never heard of, or has forgotten, may begin anywhere (KIP-360).
    if (known === undefined) return { kind: 'append' }
    if (batch.producerEpoch < known.epoch) return { kind: 'refuse', errorCode: ErrorCode.INVALID_PRODUCER_EPOCH }
    if (batch.producerEpoch > known.epoch) return appendWhere(batch.baseSequence === 0)
    const last = lastSequence(batch)
    const same = known.recent.find(
      ({ firstSequence, lastSequence }) => firstSequence === batch.baseSequence && lastSequence === last,
    )
    if (same !== undefined) return { kind: 'duplicate', baseOffset: same.baseOffset }
    return appendWhere(batch.baseSequence === (known.recent.at(-1)!.lastSequence + 1) % sequences)
  }

  appended(batch: RecordBatch, baseOffset: bigint): void {
    const { producerId, producerEpoch, baseSequence } = batch
    if (producerId < 0n) return
    const known = this.#producers.get(producerId)
    const recent = known?.epoch === producerEpoch ? known.recent : []
    recent.push({ firstSequence: baseSequence, lastSequence: lastSequence(batch), baseOffset })
    if (recent.length > rememberedBatches) recent.shift()
    this.#producers.set(producerId, { epoch: producerEpoch, recent })
  }
}

function appendWhere(inSequence: boolean): SequenceVerdict {
  return inSequence ? { kind: 'append' } : { kind: 'refuse', errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER }
}

/** Sequences go on at 0 after 2³¹ − 1. */
function lastSequence({ baseSequence, lastOffsetDelta }: RecordBatch): number {
  return (baseSequence + lastOffsetDelta) % sequences
}
