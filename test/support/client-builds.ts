// Builds the clients of test/system/clients/ in the cache, keyed by their sources and the versions of their libraries.
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { arch, platform } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedFolder, cacheKey } from './cache-folder.ts'
import { run } from './child-process.ts'
import { frugal } from './java.ts'
import { classPath } from './maven.ts'

/** This file runs from `build/test/support/`; what it builds is not TypeScript and stays where it is. */
export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
export const sources = join(projectRoot, 'test', 'system', 'clients')

export interface BuiltClient {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

const kafkaClients = '4.4.0'
const nodeForNewClients = '24.21.0'

export async function buildJava(): Promise<BuiltClient> {
  const jars = await classPath([
    `org.apache.kafka:kafka-clients:${kafkaClients}`,
    'com.fasterxml.jackson.core:jackson-databind:2.21.7',
    // Java's client checks bearer tokens with it before it sends them.
    'org.bitbucket.b_c:jose4j:0.9.6',
    'org.slf4j:slf4j-simple:1.7.36',
  ])
  const folder = join(sources, 'java')
  const classes = await cachedFolder(keyOfSources('java-client', folder, jars), async draft => {
    const files = readdirSync(folder).map(name => join(folder, name))
    await run('javac', ['-Xlint:all', '-Werror', '--release', '17', '-cp', jars, '-d', draft, ...files])
  })
  return { command: 'java', args: [...frugal(256), '-cp', `${classes}:${jars}`, 'Main'] }
}

export async function buildPython(program: string): Promise<BuiltClient> {
  const requirements = join(sources, 'python', 'requirements.txt')
  const key = cacheKey('python-client', readFileSync(requirements, 'utf8'))
  // Not a virtual environment: that would hold its own path, and the folder gets its name when it is complete.
  const packages = await cachedFolder(key, async draft => {
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input', '--root-user-action=ignore']
    const args = ['-m', 'pip', 'install', ...quiet, '--target', draft, '-r', requirements]
    await run('python3', args, { timeoutMs: 300_000 })
  })
  const env = { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' }
  return { command: 'python3', args: [join(sources, 'python', program)], env }
}

export async function buildGo(program: 'franz' | 'franz-steps' | 'sarama'): Promise<BuiltClient> {
  const folder = join(sources, 'go')
  const built = await cachedFolder(keyOfSources('go-client', folder), async draft => {
    await run('go', ['build', '-o', `${draft}/`, './...'], { cwd: folder, timeoutMs: 500_000 })
  })
  return { command: join(built, program), args: [] }
}

export async function buildJavaScript(program: string): Promise<BuiltClient> {
  const folder = join(sources, 'javascript')
  const built = await cachedFolder(keyOfSources('javascript-client', folder), async draft => {
    cpSync(folder, draft, { recursive: true })
    await run('npm', ['ci', ...quietNpm], { cwd: draft, timeoutMs: 300_000 })
  })
  return { command: await newNode(), args: [join(built, program)] }
}

const quietNpm = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']

/** A Node that clients with newer demands than ours accept. */
async function newNode(): Promise<string> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 19)) return process.execPath
  const name = `node-${platform()}-${arch()}`
  const folder = await cachedFolder(cacheKey(name, nodeForNewClients), async draft => {
    const args = ['install', ...quietNpm, '--prefix', draft, `${name}@${nodeForNewClients}`]
    await run('npm', args, { timeoutMs: 300_000 })
  })
  return join(folder, 'node_modules', name, 'bin', 'node')
}

function keyOfSources(name: string, folder: string, ...more: readonly string[]): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
  return cacheKey(name, ...more, ...files.flatMap(file => [relative(folder, file), readFileSync(file, 'utf8')]))
}
