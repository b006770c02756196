/** One length-prefixed message as it was received: views on the chunks it arrived in, never joined. */
export interface Frame {
  /** The received bytes, the 4 of the length prefix included. */
  readonly chunks: readonly Buffer[]
  /** Bytes of all chunks, prefix included. */
  readonly byteLength: number
  /** Lets what the chunks lie in be received into again: for who knows that nobody will look at them any more. */
  readonly giveBack?: (() => void) | undefined
}

/** As it comes from a splitter: who received it says how what it lies in is given back. */
export interface ReceivedFrame extends Frame {
  giveBack: (() => void) | undefined
}

/** The Kafka protocol's length prefix: a signed 32-bit count of the bytes that follow it. */
export const lengthPrefixBytes = 4
