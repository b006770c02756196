/** The floor plan of the house, held against its imports, and the few habits that a linter does not know. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, test } from 'node:test'

/** Imports go down, never up and never sideways; `import type` counts. */
const floors: Readonly<Record<string, number>> = {
  cli: 8,
  gateway: 7,
  config: 6,
  downstream: 5,
  upstream: 5,
  admin: 5,
  acl: 4,
  rewrite: 4,
  interceptors: 4,
  fanout: 4,
  pipeline: 3,
  identity: 3,
  topology: 3,
  embedded: 3,
  records: 2,
  protocol: 2,
  sasl: 2,
  tls: 2,
  wire: 1,
  telemetry: 1,
  'errors.ts': 0,
  'closest.ts': 0,
  'queue.ts': 0,
  'turns.ts': 0,
}

/** Where a dependency may be imported: a room, or one file of it. */
const homes: Readonly<Record<string, readonly string[]>> = {
  pino: ['telemetry/'],
  'prom-client': ['telemetry/'],
  convict: ['config/'],
  yaml: ['config/'],
  casbin: ['acl/'],
  re2js: ['acl/'],
  'lru-cache': ['acl/'],
  'node-forge': ['tls/pki.ts'],
  'ipaddr.js': ['tls/', 'config/', 'downstream/network-of.ts'],
  jose: ['identity/'],
}

/** Standard modules that reach outside the process. */
const outside = [
  'fs',
  'net',
  'tls',
  'dns',
  'http',
  'https',
  'http2',
  'dgram',
  'child_process',
  'cluster',
  'worker_threads',
  'inspector',
  'os',
]
/** What of them only looks at values. */
const harmless: Readonly<Record<string, readonly string[]>> = {
  net: ['isIP', 'isIPv4', 'isIPv6', 'SocketAddress', 'BlockList'],
  tls: ['checkServerIdentity', 'createSecureContext'],
}

const root = join(import.meta.dirname, '..', '..', 'src')

interface Import {
  readonly from: string
  readonly names: readonly string[]
  readonly isType: boolean
}

interface Source {
  /** Relative to src/. */
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesIn(path) : [path]
  })
}

function importsOf(text: string): Import[] {
  const statements = [...text.matchAll(/^(?:import|export)\s+(type\s+)?([^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)]
  const inline = [...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)]
  return [
    ...statements.map(([, type, clause = '', from = '']) => ({
      from,
      isType: type !== undefined,
      names: namesIn(clause),
    })),
    ...inline.map(([, from = '']) => ({ from, isType: false, names: [] })),
  ]
}

/** The values a clause brings in; what is marked `type` within it is none. */
function namesIn(clause: string): string[] {
  const braces = /\{([^}]*)\}/.exec(clause)?.[1] ?? ''
  const named = braces
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && !name.startsWith('type '))
  const whole = /^\s*(\*\s+as\s+\w+|\w+)/.exec(clause)?.[1]
  return [...named.map(name => name.split(/\s+as\s+/)[0]!), ...(whole === undefined || whole === 'from' ? [] : [whole])]
}

const sources: readonly Source[] = filesIn('.')
  .filter(path => path.endsWith('.ts'))
  .map(path => {
    const text = readFileSync(join(root, path), 'utf8')
    return { path: normalize(path), text, imports: importsOf(text) }
  })

const isGenerated = ({ path }: Source): boolean => path.startsWith(join('protocol', 'generated'))
const handWritten = sources.filter(source => !isGenerated(source))
const roomOf = (path: string): string => path.split('/')[0]!
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')

/** One line for each file that breaks a rule; the message is the whole list. */
function broken(rule: (source: Source) => readonly string[], among: readonly Source[] = sources): string[] {
  return among.flatMap(source => rule(source).map(what => `${source.path}: ${what}`))
}

function upwardImports({ path, imports }: Source): string[] {
  return imports.flatMap(({ from }) => {
    if (!from.startsWith('.')) return []
    const target = roomOf(relative(root, join(root, dirname(path), from)))
    if (target === roomOf(path)) return []
    const [here, there] = [floors[roomOf(path)], floors[target]]
    return here !== undefined && there !== undefined && there < here
      ? []
      : [`imports ${from} (${target}, floor ${there})`]
  })
}

describe('the house', () => {
  test('is found: this test looks at all of src/', () => {
    assert.ok(handWritten.length > 60 && sources.length > 200, `${sources.length} files`)
    const counted = sources.reduce((sum, { imports }) => sum + imports.length, 0)
    const mentioned = sources.reduce(
      (sum, { text }) => sum + (text.match(/^(?:import|export) .*from '|^import '/gm)?.length ?? 0),
      0,
    )
    assert.ok(counted >= mentioned, `${counted} imports found of ${mentioned}`)
  })

  test('has no room that the plan does not know', () => {
    assert.deepEqual(
      readdirSync(root).filter(name => floors[name] === undefined),
      [],
    )
  })

  test('imports go down the floors, never up and never sideways', () => {
    assert.deepEqual(broken(upwardImports), [])
  })

  test('relative imports name the .ts file they mean', () => {
    const rule = ({ imports }: Source) =>
      imports.filter(({ from }) => from.startsWith('.') && !from.endsWith('.ts')).map(({ from }) => from)
    assert.deepEqual(broken(rule), [])
  })

  test('a dependency is imported in its own room alone, and a new one gets a room first', () => {
    const rule = ({ path, imports }: Source) =>
      imports.flatMap(({ from }) => {
        if (from.startsWith('.') || from.startsWith('node:')) return []
        const home = homes[from]
        return home?.some(room => path.startsWith(room))
          ? []
          : [`imports ${from}, which lives in ${home?.join(' or ') ?? 'no room'}`]
      })
    assert.deepEqual(broken(rule), [])
  })

  test('the embedded broker is used by the commands alone', () => {
    const rule = ({ path, imports }: Source) =>
      ['cli', 'embedded'].includes(roomOf(path))
        ? []
        : imports.filter(({ from }) => from.includes('/embedded/')).map(({ from }) => from)
    assert.deepEqual(broken(rule), [])
  })

  test('rooms up to floor 4 reach nothing outside the process: no socket, no file, no clock, no chance', () => {
    const low = handWritten.filter(
      ({ path }) => floors[roomOf(path)]! <= 4 && !['telemetry', 'embedded'].includes(roomOf(path)),
    )
    const rule = ({ text, imports }: Source) => [
      ...imports.flatMap(({ from, names, isType }) => {
        const module = from.replace(/^node:/, '').split('/')[0]!
        if (isType || !from.startsWith('node:') || !outside.includes(module)) return []
        return names.filter(name => !harmless[module]?.includes(name)).map(name => `${name} of ${from}`)
      }),
      ...(withoutComments(text).match(
        /\bDate\.now\(|\bnew Date\(\)|performance\.now\(|\bMath\.random\(|\bset(?:Timeout|Interval)\(/g,
      ) ?? []),
    ]
    assert.deepEqual(broken(rule, low), [])
  })

  test('process.env is read in config/ alone, and nothing writes to the console', () => {
    const rule = ({ path, text }: Source) => {
      const code = withoutComments(text)
      return [
        ...(code.match(/\bconsole\.\w+/g) ?? []),
        ...(roomOf(path) === 'config' ? [] : (code.match(/process\.env\b/g) ?? [])),
        ...(['cli', 'telemetry'].includes(roomOf(path))
          ? []
          : (code.match(/process\.(stdout|stderr|exit|stdin)\b/g) ?? [])),
      ]
    }
    assert.deepEqual(broken(rule), [])
  })

  test('no file of ours is longer than 400 lines, tables aside', () => {
    const tables = ['protocol/sensitive-fields.ts']
    const rule = ({ path, text }: Source) => {
      if (tables.includes(path)) return []
      const lines = text.trimEnd().split('\n').length
      return lines > 400 ? [`${lines} lines`] : []
    }
    assert.deepEqual(broken(rule, handWritten), [])
  })

  test('exports have names, files have kebab-case names that say something, and nothing is left to do without an owner', () => {
    const rule = ({ path, text }: Source) => [
      ...(text.match(/^export default\b.*/gm) ?? []),
      ...(/^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(path.split('/').at(-1)!) ? [] : ['its name is no kebab-case']),
      ...(/(^|\/)(utils?|helpers?|common|types|misc|index)\.ts$/.test(path) ? ['its name says nothing'] : []),
      ...(text.match(/\b(TODO|FIXME|XXX|HACK)\b(?!\([\w-]+\)).*/g) ?? []),
    ]
    assert.deepEqual(broken(rule), [])
  })

  test('generated files say so, and only they', () => {
    const mark = /^\/\/ Generated by tools\//
    const rule = (source: Source) =>
      mark.test(source.text) === isGenerated(source) ? [] : ['is marked as what it is not']
    assert.deepEqual(broken(rule), [])
  })

  test('would see a broken rule', () => {
    const source = (path: string, text: string): Source => ({ path, text, imports: importsOf(text) })
    const line = (from: string): string => `import type { X } from '${from}'\n`
    assert.equal(upwardImports(source('wire/x.ts', line('../protocol/codec.ts'))).length, 1)
    assert.equal(upwardImports(source('acl/x.ts', line('../rewrite/rewrite.ts'))).length, 1)
    assert.equal(
      upwardImports(source('upstream/x.ts', "type Y = import('../downstream/session.ts').Session")).length,
      1,
    )
    assert.equal(upwardImports(source('upstream/x.ts', "export { Y } from '../downstream/session.ts'")).length, 1)
    assert.equal(
      upwardImports(source('upstream/x.ts', "import {\n  type Y,\n  Z,\n} from '../downstream/session.ts'")).length,
      1,
    )
    assert.equal(upwardImports(source('acl/x.ts', line('../pipeline/stage.ts'))).length, 0)
    assert.equal(upwardImports(source('acl/x.ts', line('../unknown/stage.ts'))).length, 1)
    assert.deepEqual(importsOf("import { type A, B as C, D } from 'node:net'")[0]?.names, ['B', 'D'])
    assert.deepEqual(importsOf("import forge from 'node-forge'")[0]?.names, ['forge'])
    assert.deepEqual(importsOf("import * as fs from 'node:fs'")[0]?.names, ['* as fs'])
  })
})
