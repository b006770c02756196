/** The values that come more than once. */
export function repeatedValues<T>(values: Iterable<T>): ReadonlySet<T> {
  const seen = new Set<T>()
  const repeated = new Set<T>()
  for (const value of values) {
    if (seen.has(value)) repeated.add(value)
    seen.add(value)
  }
  return repeated
}
