/** What can be exchanged while the gateway runs: a policy, a users file, the certificates of a listener. */
export interface Reloadable {
  /** As people call it: in the log, in `/healthz`, as the label `what` of metrics. One of a kind, and never a secret. */
  readonly name: string
  /** Absolute paths of all files it is made of; asked again after every reload. */
  readonly files: readonly string[]
  /**
   * Reads the files, validates all of it, and only then swaps, in one step. Rejects with a ConfigError that holds every
   * problem where it cannot; what was in force then stays in force.
   */
  reload(): Promise<void>
}
