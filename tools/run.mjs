// The one door of the npm scripts: does all set-up a task needs (install, build), then runs it.
// Plain JavaScript on purpose: it must run in a fresh clone, before anything is installed or compiled.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = name => join(root, 'node_modules', '.bin', name)

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (result.error) throw result.error
  if (result.status !== 0) process.exit(result.status ?? 1)
}

/** Files whose newest change decides whether a build is stale. */
function newest(...paths) {
  let latest = 0
  for (const path of paths) {
    const full = join(root, path)
    if (!existsSync(full)) continue
    const stat = statSync(full)
    if (!stat.isDirectory()) latest = Math.max(latest, stat.mtimeMs)
    else for (const name of readdirSync(full)) latest = Math.max(latest, newest(join(path, name)))
  }
  return latest
}

function install() {
  const stamp = join(root, 'node_modules', '.package-lock.json')
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs) return
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  // npm leaves the stamp's time alone where nothing changed; a stale one would reinstall at every run.
  if (existsSync(stamp)) writeFileSync(stamp, readFileSync(stamp))
}

/** Compiles into `folder` when a source is newer than the last compilation; old outputs never linger. */
function compile(project, folder, ...sources) {
  const stamp = join(root, folder, '.built')
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= newest('tsconfig.json', project, 'package-lock.json', ...sources))
    return
  const started = Date.now()
  rmSync(join(root, folder), { recursive: true, force: true })
  run(bin('tsc'), ['-p', project])
  writeFileSync(stamp, '')
  // A source saved while the compiler ran is newer than what was compiled.
  utimesSync(stamp, new Date(started), new Date(started))
}

function buildProduct() {
  compile('tsconfig.build.json', 'dist', 'src')
  // npm makes the program executable when it links it; a build afterwards makes it anew.
  chmodSync(join(root, 'dist/cli/main.js'), 0o755)
}
const buildAll = () => compile('tsconfig.json', 'build', 'src', 'test', 'bench', 'tools')
const [task = '', ...args] = process.argv.slice(2)

const tasks = {
  build() {
    install()
    buildProduct()
  },
  demo() {
    tasks.build()
    run(process.execPath, ['dist/cli/main.js', 'demo', ...args])
  },
  test() {
    tasks.build()
    buildAll()
    run(process.execPath, ['tools/test.mjs', 'quick', ...args])
  },
  'test:system'() {
    tasks.build()
    buildAll()
    run(process.execPath, ['tools/test.mjs', 'system', ...args])
  },
  fuzz() {
    tasks.build()
    buildAll()
    run(process.execPath, ['tools/test.mjs', 'fuzz', ...args])
  },
  bench() {
    tasks.build()
    buildAll()
    run(process.execPath, ['build/bench/main.js', ...args])
  },
  generate() {
    install()
    buildAll()
    run(process.execPath, ['build/tools/generate.js', ...args])
    run(process.execPath, ['build/tools/config-table.js', ...args])
  },
  golden() {
    install()
    buildAll()
    run(process.execPath, ['build/tools/golden.js', ...args])
  },
  format() {
    install()
    run(bin('biome'), ['check', '--write', '.'])
  },
  ok() {
    tasks.build()
    buildAll()
    run(process.execPath, ['build/tools/generate.js', '--check'])
    run(process.execPath, ['build/tools/config-table.js', '--check'])
    run(bin('biome'), ['check', '--error-on-warnings', '.'])
    tasks.test()
  },
}

if (!Object.hasOwn(tasks, task)) {
  console.error(`usage: node tools/run.mjs ${Object.keys(tasks).join(' | ')}`)
  process.exit(2)
}
tasks[task]()
