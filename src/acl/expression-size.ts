/**
 * How large an expression gets once its counted repetitions are written out, roughly, and before anybody writes them
 * out: RE2 takes half a second for a kilobyte of `(.?){1000}`, and nothing else happens meanwhile. Where one is not
 * what RE2 takes it may say anything; RE2 refuses it soon.
 */

/** Quoted text, a class of Unicode, an escape, a class, a counted repetition, or any other character. */
const tokens =
  /\\Q(?:(?!\\E).)*(?:\\E)?|\\[pP](?:\{[^}]*\}|.)|\\x\{[^}]*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d+(?:,\d*)?\}|./gsu
const counted = /^\{(\d+)(?:,(\d*))?\}$/
const unicodeClasses = /\\[pP]/g
/** Hundreds of ranges, sorted and joined; written out they are shared. */
const unicodeClassSize = 64

export function expandedSize(expression: string): number {
  const outer: number[] = []
  let before = 0
  /** What a repetition that comes next repeats. */
  let last = 0
  for (const [token] of expression.matchAll(tokens)) {
    const repetition = counted.exec(token)
    if (repetition !== null) last *= timesOf(repetition)
    else if (token === '*' || token === '+' || token === '?') last += 1
    else if (token === '(') {
      outer.push(before + last)
      before = 0
      last = 0
    } else if (token === ')') {
      last += before + groupSize
      before = outer.pop() ?? 0
    } else {
      before += last
      last = token.startsWith('\\Q') ? token.length : 1
    }
  }
  const classes = expression.match(unicodeClasses)?.length ?? 0
  return outer.reduce((sum, size) => sum + size, before + last) + classes * unicodeClassSize
}

/** Where it begins and where it ends. */
const groupSize = 2

function timesOf([, least, most]: readonly (string | undefined)[]): number {
  return Math.max(1, Number(least), Number(most ?? 0))
}
