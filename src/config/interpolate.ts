/** `${env:NAME}` and `${file:PATH}` in texts; `$${` is a plain `${`. What was replaced in is not searched again. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Problem } from '../errors.ts'
import { unreadable } from './file-reads.ts'
import { childPath } from './place.ts'

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g

export interface InterpolateOptions {
  /** Relative paths start here. */
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface Interpolated {
  readonly value: unknown
  /** What stood where something was replaced, by path. */
  readonly written: ReadonlyMap<string, string>
  readonly problems: readonly Problem[]
}

export async function interpolate(value: unknown, options: InterpolateOptions): Promise<Interpolated> {
  const written = new Map<string, string>()
  const problems: Problem[] = []

  async function walk(node: unknown, path: string): Promise<unknown> {
    if (typeof node === 'string') return node.includes('${') ? replace(node, path) : node
    if (Array.isArray(node)) return Promise.all(node.map((item, index) => walk(item, childPath(path, index))))
    if (typeof node !== 'object' || node === null) return node
    const entries = Object.entries(node).map(async ([key, item]) => [key, await walk(item, childPath(path, key))])
    return Object.fromEntries(await Promise.all(entries))
  }

  async function replace(text: string, path: string): Promise<string> {
    written.set(path, text)
    const parts = await Promise.all(Array.from(text.matchAll(REFERENCE), match => resolveOne(match, path)))
    let index = 0
    return text.replace(REFERENCE, () => parts[index++]!)
  }

  async function resolveOne([whole, reference]: RegExpMatchArray, path: string): Promise<string> {
    if (reference === undefined) return '${'
    const result = await lookUp(reference, options)
    if ('text' in result) return result.text
    problems.push({ path, message: result.problem })
    return whole
  }

  return { value: await walk(value, ''), written, problems }
}

type LookUp = { readonly text: string } | { readonly problem: string }

async function lookUp(reference: string, { folder, env }: InterpolateOptions): Promise<LookUp> {
  const [, kind, what = ''] = /^(env|file):(.+)$/.exec(reference) ?? []
  if (kind === 'env') {
    const text = env[what]
    if (text === undefined || text === '')
      return { problem: `the environment variable ${what} is ${text === '' ? 'empty' : 'not set'}` }
    return { text }
  }
  if (kind === 'file') return readReference(resolve(folder, what), folder)
  return {
    problem: `"\${${reference}}" is not a reference: write \${env:NAME} or \${file:PATH}, or $\${ for a plain \${`,
  }
}

async function readReference(path: string, folder: string): Promise<LookUp> {
  try {
    const text = (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
    return text === '' ? { problem: `${path} is empty` } : { text }
  } catch (error) {
    return { problem: unreadable(path, error, folder) }
  }
}
