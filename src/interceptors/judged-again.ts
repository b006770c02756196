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
 * `interceptors` in their order, and behind them what judges again. Where none of them wants an API nothing is judged twice;
 * where one wants it, everything is, changed or not: fetch sessions and members of groups last longer than a request.
 */
export function judgedAgain(interceptors: readonly Stage[], judges: readonly Stage[]): readonly Stage[] {
  const isWanted = (apiKey: number, apiVersion: number): boolean =>
    interceptors.some(({ handler }) => handler(apiKey, apiVersion) !== undefined)
  return [
    ...interceptors,
    ...judges.map(({ name, handler }) => ({
      name: `${name}, again`,
      handler: (apiKey: number, apiVersion: number) =>
        isWanted(apiKey, apiVersion) ? handler(apiKey, apiVersion) : undefined,
    })),
  ]
}
