/** The thread that reads rules, so that nobody waits meanwhile: one message, the checked rules or what is wrong with them. */
import { parentPort, workerData } from 'node:worker_threads'
import { packSources } from '../acl/policy/compile-policy.ts'
import { PolicyError } from '../errors.ts'
import type { WorkerAnswer } from './policy-thread.ts'

parentPort!.postMessage(answer())

/** An error loses its class on the way; anything but a PolicyError ends the thread, which says so by itself. */
function answer(): WorkerAnswer {
  try {
    return { packed: packSources(workerData) }
  } catch (error) {
    if (error instanceof PolicyError) return { problems: error.problems }
    throw error
  }
}
