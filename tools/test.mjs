// Finds the compiled tests and hands them to node's runner by name. Directory search and quoted globs are
// traps on Node 20 (they find nothing and succeed), so the files are listed here and their number is asserted.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [suite = 'quick', ...patterns] = process.argv.slice(2)

/** Fewer files than this means that the search broke, not that the project shrank. */
const filesMin = { quick: 1, system: 1, fuzz: 1 }

function testFiles(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return testFiles(path)
    return entry.name.endsWith('.test.js') ? [path] : []
  })
}

const all = testFiles('build/test').sort()
const inFolder = name => all.filter(file => file.startsWith(`${join('build/test', name)}/`))
const files = {
  quick: all.filter(file => !file.startsWith(`${join('build/test', 'system')}/`)),
  system: inFolder('system'),
  fuzz: inFolder('fuzz'),
}[suite]

if (files === undefined) {
  console.error('usage: node tools/test.mjs quick | system | fuzz [part of a file name …]')
  process.exit(2)
}
if (files.length < filesMin[suite]) {
  console.error(`${suite}: found ${files.length} test files, expected at least ${filesMin[suite]}`)
  process.exit(1)
}
const chosen = patterns.length === 0 ? files : files.filter(file => patterns.some(pattern => file.includes(pattern)))
if (chosen.length === 0) {
  console.error(`no ${suite} test file matches ${patterns.join(' ')}`)
  process.exit(1)
}
// The system suite drives real clusters on a small machine: one file at a time.
const concurrency = suite === 'quick' ? 2 : 1
const result = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-reporter=spec', `--test-concurrency=${concurrency}`, ...chosen],
  { cwd: root, stdio: 'inherit', env: { ...process.env, ...(suite === 'fuzz' ? { VKITM_FUZZ: 'long' } : {}) } },
)
process.exit(result.status ?? 1)
