/** Long work beside traffic: it asks often whether to make way, and does once its turn has lasted. */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Well below what a client would notice. */
const turnMs = 2

export function shortTurns(): () => Promise<void> | undefined {
  let begunAt = performance.now()
  return () => {
    if (performance.now() - begunAt < turnMs) return undefined
    return nextTurn().then(() => {
      begunAt = performance.now()
    })
  }
}
