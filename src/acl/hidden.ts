/** Answers on their way back: what the policy, as it is now, no longer lets the client see. */

/** Puts `hidden` in the place of everything that may not be seen; says whether anything was. */
export function replaceHidden<T>(items: T[], isSeen: (item: T) => boolean, hidden: (item: T) => T): boolean {
  let isChanged = false
  items.forEach((item, at) => {
    if (isSeen(item)) return
    items[at] = hidden(item)
    isChanged = true
  })
  return isChanged
}

/** Leaves out what may not be seen; says whether anything was. */
export function dropHidden<T>(items: T[], isSeen: (item: T) => boolean): boolean {
  const seen = items.filter(isSeen)
  if (seen.length === items.length) return false
  items.length = 0
  for (const item of seen) items.push(item)
  return true
}
