// The documents at the root of the project, as the tests of this folder read them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** These files are compiled to build/test/docs. */
export const root = join(import.meta.dirname, '..', '..', '..')

export const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'] as const

export const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Fenced blocks of one language, in order. */
export function blocksOf(text: string, language: string): string[] {
  return Array.from(text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm), ([, name, body = '']) => ({ name, body }))
    .filter(({ name }) => name === language)
    .map(({ body }) => body)
}

/** The text between a heading and the next one of its level or above. */
export function sectionOf(text: string, heading: string): string {
  const from = text.indexOf(`\n${heading}\n`)
  if (from < 0) throw new Error(`no heading "${heading}"`)
  const level = heading.indexOf(' ')
  const rest = text.slice(from + heading.length + 2)
  // In a fenced block a # begins a comment.
  const outside = rest.replace(/^```[\s\S]*?^```$/gm, block => block.replaceAll('#', '.'))
  const end = outside.search(new RegExp(`^#{1,${level}} `, 'm'))
  return end < 0 ? rest : rest.slice(0, end)
}

/** Files below a folder, relative to it, with slashes. */
export function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => path.endsWith(ending))
    .sort()
}

/** The first cells of a section's tables that are code, without their backticks. */
export function codesInFirstColumn(text: string): string[] {
  return Array.from(text.matchAll(/^\| `([^`]+)` \|/gm), ([, code = '']) => code)
}
