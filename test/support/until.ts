/** Waits for what a test expects to happen soon. The deadline is there to fail with a name, not to measure. */
import { setTimeout as delay } from 'node:timers/promises'

const pollMs = 5

export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await delay(pollMs)
  }
}

/** `promise`, or an error that says what did not happen. */
export async function within<T>(what: string, promise: Promise<T>, timeoutMs = 10_000): Promise<T> {
  const abort = new AbortController()
  const late = delay(timeoutMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`not within ${timeoutMs} ms: ${what}`)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    abort.abort()
  }
}
