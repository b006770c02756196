// Random messages that the definitions allow, drawn from a seed.
import { Span } from '../../src/wire/span.ts'
import type { Field, FieldType, ScalarType, Struct } from '../generator/model.ts'
import { includes } from '../generator/versions.ts'
import type { MessageCode } from './message-code.ts'
import type { Random } from './random.ts'

export interface Shape {
  /** `valid` sets the fields of the version only; `excessive` any field, so that writing may have to be refused. */
  readonly fill: 'valid' | 'excessive'
  /** How long arrays, strings and bytes may get. */
  readonly size: 'small' | 'large'
  /**
   * `dense`: nothing null, no array empty, every tag set, so that each field of each version is seen for sure.
   * `bare`: every text and byte string null or empty, so that each element is as short as it can be.
   */
  readonly fullness: 'dense' | 'bare' | 'random'
}

type Value = Record<string, unknown>

const integers: Record<Exclude<ScalarType, 'bool' | 'int64' | 'float64' | 'uuid'>, readonly number[]> = {
  int8: [0, 1, -1, 0x7f, -0x80],
  int16: [0, 1, -1, 0x7fff, -0x8000, 0x0102],
  uint16: [0, 1, 0xffff, 0x8000, 9092],
  int32: [0, 1, -1, 0x7fffffff, -0x80000000, 0x01020304],
  uint32: [0, 1, 0xffffffff, 0x80000000],
}
const longs = [0n, 1n, -1n, (1n << 63n) - 1n, -(1n << 63n), 0x0102030405060708n, 1_700_000_000_000n]
const doubles = [0, -0, 1.5, -2.25e-300, Number.MAX_VALUE, Number.MIN_VALUE, 1e100]
const texts = ['', 'a', 'orders', 'größe', '漢字', '😀\u0000\u007f', '__proto__', 'a,b\n"c"']

export class ValueMaker {
  readonly #code: MessageCode
  readonly #random: Random
  readonly #shape: Shape
  readonly #version: number

  constructor(code: MessageCode, version: number, shape: Shape, random: Random) {
    this.#code = code
    this.#version = version
    this.#shape = shape
    this.#random = random
  }

  struct(struct: Struct, depth = 0): Value {
    const value = this.#code.defaults(struct)
    for (const field of struct.fields) if (this.#isSet(field)) value[field.name] = this.#field(field, depth)
    return value
  }

  #isSet(field: Field): boolean {
    const present = includes(field.versions, this.#version)
    // Most fields that a version lacks stay unset, or every message would be refused for its first one.
    if (!present) return this.#shape.fill === 'excessive' && this.#random.chance(6)
    if (field.tag === undefined || this.#shape.fullness === 'dense') return true
    return this.#shape.fullness === 'random' && this.#random.chance(2)
  }

  #field(field: Field, depth: number): unknown {
    return this.#mayBeNull(field) && this.#wantsNull(field) ? null : this.#value(field.type, depth)
  }

  #mayBeNull(field: Field): boolean {
    return includes(field.nullable, this.#version) || (this.#shape.fill === 'excessive' && field.nullable !== undefined)
  }

  #wantsNull(field: Field): boolean {
    if (this.#shape.fullness === 'dense') return false
    const holdsOthers = field.type.kind === 'array' || field.type.kind === 'struct'
    return (this.#shape.fullness === 'bare' && !holdsOthers) || this.#random.chance(4)
  }

  #value(type: FieldType, depth: number): unknown {
    switch (type.kind) {
      case 'scalar':
        return this.#scalar(type.name)
      case 'string':
        return this.#string()
      case 'bytes':
        return this.#bytes()
      case 'records':
        return Span.of(this.#bytes())
      case 'struct':
        return this.struct(type.struct, depth)
      case 'array':
        return Array.from({ length: this.#arrayLength(type.element, depth) }, () =>
          this.#value(type.element, depth + 1),
        )
    }
  }

  #scalar(name: ScalarType): unknown {
    if (name === 'bool') return this.#random.chance(2)
    if (name === 'uuid') return this.#random.bytes(16).toString('base64url')
    if (name === 'float64') return this.#random.pick(doubles)
    const extreme = this.#random.chance(2)
    if (name === 'int64') return extreme ? this.#random.pick(longs) : BigInt(this.#random.below(2 ** 32)) << 11n
    return extreme ? this.#random.pick(integers[name]) : this.#random.below(100)
  }

  #string(): string {
    if (this.#shape.fullness === 'bare') return ''
    if (this.#shape.size === 'large' && this.#random.chance(10)) return 'ä'.repeat(this.#random.below(2000))
    return this.#random.pick(texts) + (this.#random.chance(2) ? this.#random.below(1000) : '')
  }

  #bytes(): Buffer {
    if (this.#shape.fullness === 'bare') return Buffer.alloc(0)
    const longest = this.#shape.size === 'large' && this.#random.chance(10) ? 5000 : 20
    return this.#random.bytes(this.#random.below(longest))
  }

  #arrayLength(element: FieldType, depth: number): number {
    if (this.#shape.fullness !== 'random') return 1 + this.#random.below(2)
    if (this.#shape.size === 'small') return this.#random.below(depth > 1 ? 2 : 3)
    if (element.kind !== 'struct' && this.#random.chance(6)) return this.#random.below(300)
    return this.#random.below(depth > 1 ? 3 : 5)
  }
}
