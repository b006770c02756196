/** CRC-32C (Castagnoli), the checksum of record batches; Node's zlib has only the other CRC-32. */

/** The polynomial 0x1EDC6F41, bits reversed. */
const polynomial = 0x82f63b78

/** tables[n][byte]: the checksum of `byte` followed by n zero bytes, so that four bytes cost one step. */
const tables = buildTables()

function buildTables(): readonly Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    return crc
  })
  const all = [first]
  for (let zeros = 1; zeros < 4; zeros++) all.push(all[zeros - 1]!.map(crc => (crc >>> 8) ^ first[crc & 0xff]!))
  return all
}

export function crc32c(bytes: Uint8Array): number {
  const [zero, one, two, three] = tables as [Uint32Array, Uint32Array, Uint32Array, Uint32Array]
  const wholeWords = bytes.length & ~3
  let crc = -1
  let at = 0
  for (; at < wholeWords; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc = three[crc & 0xff]! ^ two[(crc >>> 8) & 0xff]! ^ one[(crc >>> 16) & 0xff]! ^ zero[crc >>> 24]!
  }
  for (; at < bytes.length; at++) crc = (crc >>> 8) ^ zero[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}
