// The generated code of one message, found by name, next to the model it was generated from.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Reader } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'
import type { Definitions } from '../generator/definition.ts'
import { defaultsName, readName, writeName } from '../generator/field-code.ts'
import { buildMessage, kebabCase, type Message, type Struct, sharedStructNames } from '../generator/model.ts'
import { each, parseVersions } from '../generator/versions.ts'

type Code = Record<string, (...args: unknown[]) => unknown>

const root = join(import.meta.dirname, '..', '..', '..')

export class MessageCode {
  readonly name: string
  readonly root: Struct
  readonly versions: readonly number[]
  readonly #code: Code

  constructor(message: Message, code: Code) {
    this.name = message.definition.name
    this.root = message.root
    this.versions = [...each(message.root.versions)]
    this.#code = code
  }

  /** What Java calls the class of the message. */
  get javaName(): string {
    return this.name.startsWith('ConsumerProtocol') ? this.name : `${this.name}Data`
  }

  defaults(struct: Struct): Record<string, unknown> {
    return this.#code[defaultsName(struct)]!() as Record<string, unknown>
  }

  encode(value: unknown, version: number): Buffer {
    const writer = new Writer()
    this.#code[writeName(this.root)]!(writer, value, version)
    return writer.toBuffer()
  }

  decode(bytes: Buffer | readonly Buffer[], version: number): unknown {
    const reader = new Reader(bytes, { keepUnknownTags: true, tagBytesMax: Number.POSITIVE_INFINITY })
    const value = this.#code[readName(this.root)]!(reader, version)
    reader.expectEnd()
    return value
  }
}

export function readDefinitions(): Definitions {
  return JSON.parse(readFileSync(join(root, 'tools', 'messages.json'), 'utf8')) as Definitions
}

export async function loadMessages(): Promise<MessageCode[]> {
  const live = readDefinitions().messages.filter(message => parseVersions(message.validVersions) !== undefined)
  const shared = sharedStructNames(live)
  return Promise.all(
    live.map(async definition => {
      const url = new URL(`../../src/protocol/generated/${kebabCase(definition.name)}.js`, import.meta.url)
      return new MessageCode(buildMessage(definition, shared), (await import(url.href)) as Code)
    }),
  )
}
