// Arrays of anything but structs, as the generated code reads and writes them.
import { itemsPerNumber } from '../wire/bounds.ts'
import type { Reader } from '../wire/reader.ts'
import type { Writer } from '../wire/writer.ts'

function elements<Element>(reader: Reader, length: number, read: (reader: Reader) => Element): Element[] {
  const values: Element[] = []
  for (let index = 0; index < length; index++) values.push(read(reader))
  return values
}

function arrayReader<Element>(bytes: number, read: (reader: Reader) => Element, items = 1) {
  return (reader: Reader, compact: boolean): Element[] =>
    elements(reader, compact ? reader.compactArrayLength(bytes, items) : reader.arrayLength(bytes, items), read)
}

function nullableArrayReader<Element>(bytes: number, read: (reader: Reader) => Element, items = 1) {
  return (reader: Reader, compact: boolean): Element[] | null => {
    const length = compact ? reader.compactNullableArrayLength(bytes, items) : reader.nullableArrayLength(bytes, items)
    return length < 0 ? null : elements(reader, length, read)
  }
}

function arrayWriter<Element>(write: (writer: Writer, value: Element) => void) {
  return (writer: Writer, values: readonly Element[] | null, compact: boolean): void => {
    const length = values === null ? -1 : values.length
    if (compact) writer.compactArrayLength(length)
    else writer.arrayLength(length)
    if (values !== null) for (const value of values) write(writer, value)
  }
}

export const readInt8Array = arrayReader(1, reader => reader.int8(), itemsPerNumber)
export const readInt16Array = arrayReader(2, reader => reader.int16(), itemsPerNumber)
export const readInt32Array = arrayReader(4, reader => reader.int32(), itemsPerNumber)
export const readInt64Array = arrayReader(8, reader => reader.int64())

export const readNullableInt8Array = nullableArrayReader(1, reader => reader.int8(), itemsPerNumber)
export const readNullableInt16Array = nullableArrayReader(2, reader => reader.int16(), itemsPerNumber)
export const readNullableInt32Array = nullableArrayReader(4, reader => reader.int32(), itemsPerNumber)
export const readNullableInt64Array = nullableArrayReader(8, reader => reader.int64())

export const writeInt8Array = arrayWriter((writer, value: number) => writer.int8(value))
export const writeInt16Array = arrayWriter((writer, value: number) => writer.int16(value))
export const writeInt32Array = arrayWriter((writer, value: number) => writer.int32(value))
export const writeInt64Array = arrayWriter((writer, value: bigint) => writer.int64(value))
export const writeUuidArray = arrayWriter((writer, value: string) => writer.uuid(value))

/** Strings are items of a message, as structs are: their number is limited by the caller's length. */
export function readStringArray(reader: Reader, length: number, compact: boolean): string[] {
  return elements(reader, length, compact ? compactString : plainString)
}

export function readNullableStringArray(reader: Reader, length: number, compact: boolean): string[] | null {
  return length < 0 ? null : readStringArray(reader, length, compact)
}

export function writeStringArray(writer: Writer, values: readonly string[] | null, compact: boolean): void {
  if (compact) writeCompactStrings(writer, values, true)
  else writePlainStrings(writer, values, false)
}

const compactString = (reader: Reader) => reader.compactString()
const plainString = (reader: Reader) => reader.string()
const writeCompactStrings = arrayWriter((writer, value: string) => writer.compactString(value))
const writePlainStrings = arrayWriter((writer, value: string) => writer.string(value))

const uuid = (reader: Reader) => reader.uuid()
export const readUuidArray = arrayReader(16, uuid)
export const readNullableUuidArray = nullableArrayReader(16, uuid)
