/** Defaults that every message may share, because nothing in them can change. */
export const emptyBytes = Buffer.alloc(0)

/** The id of no topic. */
export const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA'
