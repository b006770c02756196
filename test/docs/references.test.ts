import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { documents, filesBelow, read, root } from './documents.ts'

const sources = filesBelow('src', '.ts')
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

/** As GitHub makes them: lower case, no punctuation, hyphens for spaces. */
const anchorsIn = (text: string): Set<string> =>
  new Set(
    Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )

function isBroken(link: string, from: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? from : path
  if (!existsSync(join(root, target))) return true
  return anchor !== undefined && !anchorsIn(read(target)).has(anchor)
}

/** A file of a room, with or without the room. */
const isSource = (path: string): boolean => sources.some(source => source === path || source.endsWith(`/${path}`))

for (const document of documents) {
  const text = read(document)

  describe(document, () => {
    it('links to what is there', () => {
      const links = Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => link)
      const own = links.filter(link => !/^(https?|mailto):/.test(link))
      assert.deepEqual(
        own.filter(link => isBroken(link, document)),
        [],
      )
    })

    it('names scripts that there are', () => {
      const named = Array.from(text.matchAll(/npm run ([a-z:]+)/g), ([, script = '']) => script)
      assert.deepEqual(
        named.filter(script => !Object.hasOwn(scripts, script)),
        [],
      )
    })

    it('names files of the project that there are', () => {
      const named = Array.from(text.matchAll(/`([a-z]+\/[\w./-]*\w)`/g), ([, path = '']) => path)
      const missing = named.filter(path => !existsSync(join(root, path)) && !isSource(path))
      // What npm makes.
      assert.deepEqual(
        missing.filter(path => !/^(dist|build)\//.test(path)),
        [],
      )
    })
  })
}
