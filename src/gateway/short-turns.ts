/**
 * Long work beside traffic: it asks often whether to make way, and does once its turn has lasted. Those who ask the same
 * function take turns, one between two looks at the traffic, however many they are.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Well below what a client would notice. */
const turnMs = 2

export function shortTurns(): () => Promise<void> | undefined {
  let begunAt = performance.now()
  let lastTurn: Promise<void> = Promise.resolve()
  return () => {
    if (performance.now() - begunAt < turnMs) return undefined
    lastTurn = lastTurn
      .then(() => nextTurn())
      .then(() => {
        begunAt = performance.now()
      })
    return lastTurn
  }
}
