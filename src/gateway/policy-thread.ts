/** Has rules read and checked in a thread of their own, started for that and ended with it. */
import { Worker } from 'node:worker_threads'
import type { PolicySources } from '../acl/policy/compile-policy.ts'
import type { PackedRules } from '../acl/policy/packed-rules.ts'
import { PolicyError, type Problem, VkitmError } from '../errors.ts'

export type WorkerAnswer = { readonly packed: PackedRules } | { readonly problems: readonly Problem[] }

/** A million rules take seconds. */
const deadlineMs = 60_000

/** Rejects with a PolicyError with every problem. */
export async function readInThread(sources: PolicySources): Promise<PackedRules> {
  // Rules need nothing of the environment, where secrets may be.
  const worker = new Worker(new URL('./policy-worker.js', import.meta.url), { workerData: sources, env: {} })
  try {
    const answer = await answerOf(worker)
    if ('packed' in answer) return answer.packed
    throw new PolicyError(answer.problems)
  } finally {
    await worker.terminate()
  }
}

function answerOf(worker: Worker): Promise<WorkerAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void => {
      clearTimeout(timer)
      reject(new VkitmError('VKITM_POLICY', `the rules could not be read: ${why}`, { cause }))
    }
    const timer = setTimeout(() => fail(`it took more than ${deadlineMs / 1_000} s`), deadlineMs)
    worker.once('message', (answer: WorkerAnswer) => {
      clearTimeout(timer)
      resolve(answer)
    })
    worker.once('error', error => fail(error.message, error))
    worker.once('exit', () => fail('their thread ended without an answer'))
  })
}
