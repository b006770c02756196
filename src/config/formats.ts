/** Formats of single values and of lists. A format either gives the value or says what to write instead. */

import { closest } from '../closest.ts'
import { Secret } from '../telemetry/secret.ts'
import type { Format } from './section.ts'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const BYTE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }
const TIME_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
/** Timers of Node fire at once beyond this. */
const TIMER_MS_MAX = 2 ** 31 - 1

export const name: Format<string> = {
  name: 'name',
  read(value, place) {
    if (typeof value === 'string' && NAME.test(value)) return value
    return place.problem(
      `${place.shown(value)} is not a name: up to 63 letters, digits, dots, dashes and underscores, the first a letter or digit`,
    )
  },
}

export const text: Format<string> = {
  name: 'text',
  read(value, place) {
    if (typeof value === 'string' && value !== '') return value
    return place.problem(`is ${place.shown(value)}: write a text`)
  },
}

/** Never shown, not even in a problem. */
export const secret: Format<Secret> = {
  name: 'secret',
  read(value, place) {
    if (typeof value === 'string' && value !== '') return new Secret(value)
    if (typeof value === 'number') return place.problem('is a number to YAML: put it in quotes')
    return place.problem(`is ${value === '' ? 'empty' : 'not a text'}: write \${env:NAME} or \${file:PATH}`)
  },
}

export const flag: Format<boolean> = {
  name: 'true or false',
  read(value, place) {
    if (value === true || value === 'true') return true
    if (value === false || value === 'false') return false
    return place.problem(`${place.shown(value)} is neither true nor false`)
  },
}

export function choice<const T extends string>(choices: readonly T[]): Format<T> {
  return {
    name: choices.join(', '),
    read(value, place) {
      const chosen = choices.find(one => one === value)
      if (chosen !== undefined) return chosen
      const near = closest(String(value), choices)
      const hint = near ? `did you mean ${near}?` : `write ${choices.join(', ')}`
      return place.problem(`${place.shown(value)} is not known: ${hint}`)
    },
  }
}

export function count({ min = 1, max = 1_000_000_000 } = {}): Format<number> {
  return {
    name: 'number',
    read(value, place) {
      const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
      if (Number.isInteger(number) && (number as number) >= min && (number as number) <= max) return number as number
      return place.problem(`${place.shown(value)} is not a whole number from ${min} to ${max}`)
    },
  }
}

export function bytes({ min = 1, max = Number.MAX_SAFE_INTEGER } = {}): Format<number> {
  return {
    name: 'bytes',
    read(value, place) {
      const size = measure(value, BYTE_UNITS, 'B')
      if (size === undefined)
        return place.problem(`${place.shown(value)} is not a size: write bytes or 64KiB, 100MiB, 1GiB`)
      if (size >= min && size <= max) return size
      return place.problem(`${place.shown(value)} is out of bounds: from ${min} to ${max} bytes`)
    },
  }
}

export const duration: Format<number> = {
  name: 'duration',
  read(value, place) {
    const ms = measure(value, TIME_UNITS, 'ms')
    if (ms === undefined)
      return place.problem(`${place.shown(value)} is not a duration: write milliseconds or 500ms, 10s, 5m, 1h`)
    if (ms >= 1 && ms <= TIMER_MS_MAX) return ms
    return place.problem(
      `${place.shown(value)} is out of bounds: every wait ends, at the earliest after 1ms and at the latest after 596h`,
    )
  },
}

function measure(value: unknown, units: Readonly<Record<string, number>>, plainUnit: string): number | undefined {
  const match = /^(\d{1,15})\s*([A-Za-z]*)$/.exec(String(value))
  if (match === null || (typeof value !== 'string' && typeof value !== 'number')) return undefined
  const unit = match[2] === '' ? plainUnit : match[2]!
  return Object.hasOwn(units, unit) ? Number(match[1]) * units[unit]! : undefined
}

export interface ListOptions {
  readonly min?: number
  /** A lone item may stand without its list. */
  readonly single?: boolean
}

export function listOf<T>(item: Format<T>, { min = 1, single = false }: ListOptions = {}): Format<readonly T[]> {
  return {
    name: item.leaves === undefined ? `list of ${item.name}` : 'list of sections',
    ...(item.leaves === undefined ? {} : { leaves: item.leaves }),
    isList: true,
    read(value, place) {
      if (!Array.isArray(value)) {
        if (!single) return place.problem(`is ${place.shown(value)}: write a list`)
        const only = item.read(value, place)
        return only === undefined ? undefined : [only]
      }
      if (value.length < min) return place.problem('is an empty list: write at least one entry')
      const items = value.map((entry, index) => item.read(entry, place.item(index)))
      return items.filter(entry => entry !== undefined) as T[]
    },
  }
}

/** A part of the contract that is yet to come: named, so that nobody believes it is in force. */
export function notYet(what: string, instead: string): Format<never> {
  return {
    name: 'not available yet',
    read(_value, place) {
      return place.problem(`${what} not available yet: ${instead}`)
    },
  }
}
