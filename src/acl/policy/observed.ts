/**
 * What an audit stream holds, without what it holds twice: who asked for which operations on what, how often, through
 * which APIs. Grows with what is different in a stream, up to a bound, never with its length.
 */
import { PolicyError } from '../../errors.ts'
import type { Operation, ResourceType } from './policy.ts'

export interface Observation {
  /** `User:alice`, without control characters. */
  readonly principal: string
  /** The client's address, or `*` where rules do not look at it. */
  readonly host: string
  readonly api: string
  readonly operation: Operation
  readonly type: ResourceType
  /** The resource's name; `anyResource` for "on any of this type". */
  readonly name: string | typeof anyResource
  readonly times: number
}

/** InitProducerId asks for Write on any topic at all. */
export const anyResource = Symbol('any resource of its type')

export interface Asked {
  times: number
  /** Without repetition, in the order of their first appearance. */
  readonly apis: string[]
}

export interface ObservedResource {
  readonly principal: string
  readonly host: string
  readonly type: ResourceType
  readonly name: string | typeof anyResource
  readonly asked: Map<Operation, Asked>
}

export const RESOURCES_MAX = 500_000
export const CHARS_MAX = 64 * 1_048_576

export class Observed {
  readonly #resources = new Map<string, ObservedResource>()
  readonly #resourcesMax: number
  #chars = 0

  constructor(resourcesMax = RESOURCES_MAX) {
    this.#resourcesMax = resourcesMax
  }

  get resources(): Iterable<ObservedResource> {
    return this.#resources.values()
  }

  /** Throws a PolicyError over the bound. */
  add({ principal, host, api, operation, type, name, times }: Observation): void {
    const { asked } = this.#resource({ principal, host, type, name })
    const known = asked.get(operation)
    if (known === undefined) {
      asked.set(operation, { times, apis: [api] })
      return
    }
    known.times += times
    if (!known.apis.includes(api)) known.apis.push(api)
  }

  #resource(wanted: Omit<ObservedResource, 'asked'>): ObservedResource {
    const { principal, host, type, name } = wanted
    // Only a name can hold a line feed, and it stands last.
    const key = [principal, host, type, typeof name === 'symbol' ? 'any' : `=${name}`].join('\n')
    const known = this.#resources.get(key)
    if (known !== undefined) return known
    this.#chars += key.length
    if (this.#resources.size >= this.#resourcesMax || this.#chars > CHARS_MAX) throw tooMany(this.#resourcesMax)
    const fresh: ObservedResource = { ...wanted, asked: new Map() }
    this.#resources.set(key, fresh)
    return fresh
  }
}

const tooMany = (resourcesMax: number): PolicyError =>
  new PolicyError([
    {
      path: 'audit',
      message: `more than ${resourcesMax} different resources, or ${CHARS_MAX / 1_048_576} MiB of names: a policy of single names is no use for that many. Learn from a part of the stream, from one principal (--principal), and write prefixes for the rest`,
    },
  ])
