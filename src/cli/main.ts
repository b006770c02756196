#!/usr/bin/env node
/** The program. What only watches over a gateway in another process loads nothing of a gateway itself. */
import { fileURLToPath } from 'node:url'
import { isTuned, runTuned } from './tuned-process.ts'

const args = process.argv.slice(2)

if (args[0] === 'start' && !isTuned(process.execArgv)) {
  process.exit(await runTuned(fileURLToPath(import.meta.url), args))
}
const { runCommand } = await import('./program.ts')
process.exit(await runCommand(args))
