/** A range of versions; `undefined` stands for none. An open end is Infinity. */
export interface Versions {
  readonly low: number
  readonly high: number
}

export function parseVersions(text: string | undefined): Versions | undefined {
  if (text === undefined || text === 'none') return undefined
  const match = /^(\d+)(\+|-(\d+))?$/.exec(text.trim())
  if (match === null) throw new Error(`versions not understood: ${text}`)
  const low = Number(match[1])
  if (match[2] === undefined) return { low, high: low }
  return { low, high: match[2] === '+' ? Number.POSITIVE_INFINITY : Number(match[3]) }
}

export function intersect(one: Versions | undefined, other: Versions | undefined): Versions | undefined {
  if (one === undefined || other === undefined) return undefined
  const low = Math.max(one.low, other.low)
  const high = Math.min(one.high, other.high)
  return low > high ? undefined : { low, high }
}

export function includes(versions: Versions | undefined, version: number): boolean {
  return versions !== undefined && version >= versions.low && version <= versions.high
}

export function* each(versions: Versions): Generator<number> {
  for (let version = versions.low; version <= versions.high; version++) yield version
}

/** Whether a version known to be `within` is one of `versions`: always, never, or an expression over `version`. */
export function condition(versions: Versions | undefined, within: Versions): boolean | string {
  const common = intersect(versions, within)
  if (common === undefined) return false
  const above = common.low > within.low
  const below = common.high < within.high
  if (above && below) {
    if (common.low === common.high) return `version === ${common.low}`
    return `version >= ${common.low} && version <= ${common.high}`
  }
  if (above) return `version >= ${common.low}`
  if (below) return `version <= ${common.high}`
  return true
}

export function negated(condition: string): string {
  const match = /^version (>=|<=) (\d+)$/.exec(condition)
  return match === null ? `!(${condition})` : `version ${match[1] === '>=' ? '<' : '>'} ${match[2]}`
}

/** An expression whose value depends on the version, as few comparisons as there are steps. */
export function stepwise(within: Versions, valueAt: (version: number) => number): string {
  let text = String(valueAt(within.low))
  for (const version of each(within)) {
    if (version > within.low && valueAt(version) !== valueAt(version - 1)) {
      text = `version >= ${version} ? ${valueAt(version)} : ${text}`
    }
  }
  return text
}
