// Arrays of anything but structs, as the generated code reads and writes them.
import type { Reader } from '../wire/reader.ts'
import type { Writer } from '../wire/writer.ts'

function elements<Element>(reader: Reader, length: number, read: (reader: Reader) => Element): Element[] {
  const values: Element[] = []
  for (let index = 0; index < length; index++) values.push(read(reader))
  return values
}

function scalarReader<Element>(bytes: number, read: (reader: Reader) => Element) {
  return (reader: Reader, compact: boolean): Element[] =>
    elements(reader, compact ? reader.compactScalarArrayLength(bytes) : reader.scalarArrayLength(bytes), read)
}

function nullableScalarReader<Element>(bytes: number, read: (reader: Reader) => Element) {
  return (reader: Reader, compact: boolean): Element[] | null => {
    const length = compact ? reader.compactNullableScalarArrayLength(bytes) : reader.nullableScalarArrayLength(bytes)
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

export const readInt8Array = scalarReader(1, reader => reader.int8())
export const readInt16Array = scalarReader(2, reader => reader.int16())
export const readInt32Array = scalarReader(4, reader => reader.int32())
export const readInt64Array = scalarReader(8, reader => reader.int64())

export const readNullableInt8Array = nullableScalarReader(1, reader => reader.int8())
export const readNullableInt16Array = nullableScalarReader(2, reader => reader.int16())
export const readNullableInt32Array = nullableScalarReader(4, reader => reader.int32())
export const readNullableInt64Array = nullableScalarReader(8, reader => reader.int64())

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
export const readUuidArray = scalarReader(16, uuid)
export const readNullableUuidArray = nullableScalarReader(16, uuid)
