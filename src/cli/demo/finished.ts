import { spawn } from 'node:child_process'
import { VkitmError } from '../../errors.ts'

export interface FinishedOptions {
  readonly cwd?: string
  readonly timeoutMs: number
}

/** Runs a program to its end; rejects with the end of what it printed where that was not exit code 0. */
export function finished(command: string, args: readonly string[], { cwd, timeoutMs }: FinishedOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, timeout: timeoutMs, stdio: ['ignore', 'pipe', 'pipe'] })
    let printed = ''
    const keep = (text: Buffer): void => {
      printed = (printed + text.toString('utf8')).slice(-printedMax)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) return resolve()
      const how = signal === null ? `exit code ${code}` : `signal ${signal}`
      reject(new VkitmError('VKITM_DEMO', `${command} ended with ${how}:\n${printed.trim()}`))
    })
  })
}

const printedMax = 4_000
