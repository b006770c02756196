#!/usr/bin/env node
/** The program. What only watches over a gateway in another process loads nothing of a gateway itself. */
import { fileURLToPath } from 'node:url'
import { isTuned, runTuned } from './tuned-process.ts'

const args = process.argv.slice(2)

if (args[0] === 'start' && !isTuned(process.execArgv)) {
  process.exit(await runTuned(fileURLToPath(import.meta.url), args))
}
const { runCommand } = await import('./program.ts')
const code = await runCommand(args)
// A pipe takes 64 KiB at a time, and to exit loses the rest. The log of `start` sees to itself: a reader that stalls must
// not keep a gateway from ending.
if (args[0] !== 'start') await Promise.all([process.stdout, process.stderr].map(written))
process.exit(code)

/** Resolves when all is written, or nobody reads any more. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  stream.on('error', () => {})
  return new Promise(resolve => void stream.write('', () => resolve()))
}
