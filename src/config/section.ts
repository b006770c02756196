/**
 * Sections of the configuration: convict schemas whose leaves may be sections or lists themselves. convict fills the
 * defaults and calls the formats; ours report to a place instead of throwing, so that all problems come at once.
 */
import convict from 'convict'
import { closest } from '../closest.ts'
import type { Place } from './place.ts'

export interface Format<T> {
  /** For the table in the README. */
  readonly name: string
  /** The value; undefined where a problem was reported. */
  read(value: unknown, place: Place): T | undefined
  /** What is below, for the table: a section's leaves, or those of a list's items. */
  readonly leaves?: Leaves
  readonly isList?: boolean
}

export interface Leaf<T, Present extends boolean = boolean> {
  readonly doc: string
  readonly format: Format<T>
  readonly default: unknown
  readonly sensitive?: boolean
  /** What to write where the leaf is missing and must not be. */
  readonly required?: string
  readonly present: Present
}

export type Leaves = Readonly<Record<string, Leaf<unknown>>>

/** Values of a section without problems. */
export type Read<L extends Leaves> = {
  readonly [Key in keyof L]: L[Key] extends Leaf<infer T, infer Present>
    ? Present extends true
      ? T
      : T | undefined
    : never
}

/** Values of a section of which some may have problems. */
export type Draft<L extends Leaves> = { readonly [Key in keyof L]?: Read<L>[Key] | undefined }

export function required<T>(doc: string, format: Format<T>, hint: string): Leaf<T, true> {
  return { doc, format, default: undefined, required: hint, present: true }
}

export function optional<T>(doc: string, format: Format<T>): Leaf<T, false> {
  return { doc, format, default: undefined, present: false }
}

export function withDefault<T>(doc: string, format: Format<T>, value: unknown): Leaf<T, true> {
  return { doc, format, default: value, present: true }
}

export interface SectionOptions<L extends Leaves, T> {
  /** Relations between leaves; runs even where some of them have problems. */
  readonly check?: (draft: Draft<L>, place: Place) => void
  /** Runs only where nothing in the section has a problem. */
  readonly build: (read: Read<L>, place: Place) => T
}

export function section<L extends Leaves, T>(leaves: L, { check, build }: SectionOptions<L, T>): Format<T> {
  return {
    name: 'section',
    leaves,
    read(value, place) {
      if (!isMapping(value)) return place.problem(notAMapping(value, place, leaves))
      const before = place.reading.problems.length
      const draft = readLeaves(leaves, value, place)
      check?.(draft, place)
      return place.reading.problems.length > before ? undefined : build(draft as Read<L>, place)
    },
  }
}

function readLeaves<L extends Leaves>(leaves: L, given: Record<string, unknown>, place: Place): Draft<L> {
  const draft: Record<string, unknown> = {}
  reportKeys(leaves, given, place)
  const schema = Object.entries(leaves).map(([key, { doc, default: value, format, sensitive = false }]) => {
    const read = (item: unknown) => {
      draft[key] = format.read(typeof item === 'function' ? item() : item, place.key(key))
    }
    return [key, { doc, default: value, sensitive, format: read }]
  })
  const checked = convict<Record<string, unknown>>(Object.fromEntries(schema), { args: [], env: {} })
  for (const key of Object.keys(leaves)) {
    // convict would coerce strings by the default's type ('yes' becomes true) and walk into mappings; a function
    // reaches the format as it is.
    if (Object.hasOwn(given, key)) checked.set(key, () => given[key])
  }
  checked.validate({ allowed: 'strict' })
  return draft as Draft<L>
}

function reportKeys(leaves: Leaves, given: Record<string, unknown>, place: Place): void {
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(leaves, key)) continue
    const near = closest(key, Object.keys(leaves))
    place.key(key).problem(`unknown key; ${near ? `did you mean ${near}?` : `known here: ${listed(leaves)}`}`)
  }
  for (const [key, { required: hint }] of Object.entries(leaves)) {
    if (hint !== undefined && !Object.hasOwn(given, key)) place.key(key).problem(`is required: ${hint}`)
  }
}

function notAMapping(value: unknown, place: Place, leaves: Leaves): string {
  const known = `a mapping with ${listed(leaves)}`
  if (value === null) return `is empty: write ${known}, or remove the line`
  return `is ${place.shown(value)}: write ${known}`
}

const listed = (leaves: Leaves): string => Object.keys(leaves).join(', ')

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
