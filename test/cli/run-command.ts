/** Runs a command of the program within this process, and keeps what it prints. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { runCommand } from '../../src/cli/program.ts'

export interface Ran {
  readonly code: number
  readonly out: string
}

/** One at a time: they share the process's output. */
export async function run(...args: string[]): Promise<Ran> {
  const printed: string[] = []
  const { stdout, stderr } = process
  const real = { out: stdout.write, err: stderr.write }
  // Bytes are the test runner's own reports.
  const keep = (write: typeof stdout.write, stream: NodeJS.WriteStream) =>
    ((text: string | Uint8Array, ...more: []) =>
      typeof text === 'string' ? printed.push(text) > 0 : write.call(stream, text, ...more)) as typeof stdout.write
  stdout.write = keep(real.out, stdout)
  stderr.write = keep(real.err, stderr)
  try {
    return { code: await runCommand(args), out: printed.join('') }
  } finally {
    stdout.write = real.out
    stderr.write = real.err
  }
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
