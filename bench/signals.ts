// A run that is interrupted says so, and takes its broker and its proxies with it: both end when this process exits.
export function endOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      console.error(`ended by ${signal}: nothing is written`)
      process.exit(130)
    })
  }
}
