/** A tagged field as bytes: one this build does not know, or one about to be written. */
export interface TaggedField {
  readonly tag: number
  readonly data: Buffer
}
