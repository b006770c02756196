// How much work a run does. Ratios settle at these sizes; `--quick` tells only whether everything works.
export interface Scale {
  readonly rounds: number
  /** Records of 1 KiB produced and consumed each round. */
  readonly records: number
  /** Of the rows about CPU, before anything is measured: how often what is measured is done. */
  readonly warmUps: number
  readonly smallRequests: number
  readonly connections: number
  readonly latencySeconds: number
  readonly stalledReaders: number
}

export const full: Scale = {
  rounds: 3,
  records: 768 * 1024,
  // A gateway runs for weeks. V8, and the JVM behind it, compile for the first GiB; figures settle at the fourth.
  warmUps: 4,
  smallRequests: 40_000,
  connections: 1_500,
  latencySeconds: 6,
  stalledReaders: 200,
}

export const quick: Scale = {
  rounds: 1,
  records: 256 * 1024,
  warmUps: 1,
  smallRequests: 10_000,
  connections: 300,
  latencySeconds: 3,
  stalledReaders: 50,
}
