export interface Split<T> {
  readonly allowed: T[]
  readonly denied: readonly T[]
}

/** Parts items by a decision, each item decided once; undefined where all are allowed, which is the common case. */
export function splitDenied<T>(items: readonly T[], isAllowed: (item: T) => boolean): Split<T> | undefined {
  const firstDenied = items.findIndex(item => !isAllowed(item))
  if (firstDenied === -1) return undefined
  const allowed = items.slice(0, firstDenied)
  const denied = [items[firstDenied] as T]
  for (const item of items.slice(firstDenied + 1)) (isAllowed(item) ? allowed : denied).push(item)
  return { allowed, denied }
}

/** `push` with a spread would need a stack as deep as the list is long, and clients decide how long it is. */
export function append<T>(list: T[], items: Iterable<T>): void {
  for (const item of items) list.push(item)
}
