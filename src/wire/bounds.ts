/** What a message may ask of its reader. Counts come from the peer; nothing is allocated before it passes one of these. */
export interface ReadLimits {
  /** Elements of arrays, over the whole message: whoever reads them makes an object of each. */
  readonly itemsMax: number
  /** The key of the configuration that says how many, for who has to change it. */
  readonly itemsSetting?: string
  /** Tagged fields in one struct. */
  readonly tagsMax: number
  /** Bytes of one tagged field. */
  readonly tagBytesMax: number
  /** Keep tagged fields this build does not know, instead of counting and dropping them. */
  readonly keepUnknownTags: boolean
}

export const readLimits: ReadLimits = {
  itemsMax: 1_000_000,
  tagsMax: 64,
  tagBytesMax: 64 * 1024,
  keepUnknownTags: false,
}

/** A number in an array takes a quarter of the memory that an object takes, and of the time. */
export const itemsPerNumber = 1 / 4

/** A broker's metadata of a large cluster has more items than any request. */
export const brokerLimits: Partial<ReadLimits> = { itemsMax: 4_000_000, tagBytesMax: 16 * 1024 * 1024 }

/** Kafka's own limit of a string, in every encoding. */
export const stringBytesMax = 0x7fff
