// Writes src/protocol/generated/ from tools/messages.json; with --check only compares and names what differs.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Definitions } from './generator/definition.ts'
import { messageFile } from './generator/message-file.ts'
import { buildMessage, kebabCase, sharedStructNames } from './generator/model.ts'
import { apiKeyFile, apisOf, apiTableFile, errorCodeFile, messageTypesFile } from './generator/table-files.ts'
import { parseVersions } from './generator/versions.ts'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, 'src', 'protocol', 'generated')

export function generate(definitions: Definitions): Map<string, string> {
  const live = definitions.messages.filter(message => parseVersions(message.validVersions) !== undefined)
  const shared = sharedStructNames(live)
  const files = new Map<string, string>()
  for (const message of live) files.set(`${kebabCase(message.name)}.ts`, messageFile(buildMessage(message, shared)))
  const apis = apisOf(live)
  files.set('api-key.ts', apiKeyFile(apis))
  files.set('api-table.ts', apiTableFile(apis))
  files.set('error-code.ts', errorCodeFile(definitions.errors))
  files.set('message-types.ts', messageTypesFile(apis))
  return files
}

function committed(): Map<string, string> {
  const names = readdirSync(folder, { encoding: 'utf8' })
  return new Map(names.map(name => [name, readFileSync(join(folder, name), 'utf8')]))
}

/** Names of files that are missing, stale or not as generated. */
export function differences(files: ReadonlyMap<string, string>, present: ReadonlyMap<string, string>): string[] {
  const names = new Set([...files.keys(), ...present.keys()])
  return [...names].filter(name => files.get(name) !== present.get(name)).toSorted()
}

function check(files: ReadonlyMap<string, string>): void {
  const different = differences(files, committed())
  if (different.length === 0) return
  for (const name of different) console.error(`src/protocol/generated/${name} is not what tools/messages.json says`)
  console.error('run: npm run generate')
  process.exitCode = 1
}

function write(files: ReadonlyMap<string, string>): void {
  mkdirSync(folder, { recursive: true })
  for (const name of committed().keys()) if (!files.has(name)) rmSync(join(folder, name))
  for (const [name, text] of files) writeFileSync(join(folder, name), text)
  console.log(`${files.size} files in src/protocol/generated`)
}

if (process.argv[1] === import.meta.filename) {
  const files = generate(JSON.parse(readFileSync(join(root, 'tools', 'messages.json'), 'utf8')))
  if (process.argv.includes('--check')) check(files)
  else write(files)
}
