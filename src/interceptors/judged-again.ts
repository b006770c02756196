/**
 * Where users' changes stand on the way of a request. An interceptor is a stage like any other: it changes the body and
 * says so, answers by itself, or closes. It meets only what its client may ask for, for it stands behind the policy;
 * and what it makes of a request is judged again before a broker sees it, with the same client as the one who asks.
 *
 * Answers come back the same way: denials of what it made join first and under the names that it chose, then it sees the
 * answer and gives back the client's names, then the policy looks for the last time and puts in what was kept back before.
 */
import type { Stage } from '../pipeline/stage.ts'

/**
 * `interceptors` in their order, and behind them what judges again: everything, changed or not, and whether one wants it or
 * not, since fetch sessions and members of groups last longer than a request and belong to several APIs.
 */
export function judgedAgain(interceptors: readonly Stage[], judges: () => readonly Stage[]): readonly Stage[] {
  return interceptors.length === 0 ? [] : [...interceptors, ...judges()]
}
