/** What can be exchanged while the gateway runs: a policy, a users file, the certificates of a listener. */
export interface Reloadable {
  /** As people call it: in the log, in `/healthz`, as the label `what` of metrics. One of a kind, and never a secret. */
  readonly name: string
  /** Absolute paths of all files it is made of; asked again after every reload. */
  readonly files: readonly string[]
  /**
   * Reads the files and validates them before it swaps. Rejects with a ConfigError that holds every problem; what those
   * are about stays as it was in force.
   */
  reload(): Promise<void>
}
