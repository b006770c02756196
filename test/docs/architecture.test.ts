import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { filesBelow, read, sectionOf } from './documents.ts'

const architecture = read('ARCHITECTURE.md')
const map = sectionOf(architecture, '## File map')

/** `room/` in a heading, then a line for each file: - `file.ts`: what it is. `src/` is the room of those without one. */
function mappedFiles(): string[] {
  return map.split(/^### /m).flatMap(part => {
    const [, folder = ''] = /^`([a-z]+\/)`/.exec(part) ?? []
    const room = folder === 'src/' ? '' : folder
    return Array.from(part.matchAll(/^- `([^`]+\.ts)`: \S/gm), ([, file = '']) => `${room}${file}`)
  })
}

const files = filesBelow('src', '.ts').filter(path => !path.startsWith('protocol/generated/'))

describe("ARCHITECTURE's rooms", () => {
  it('are those of src/, on the floors that the file map gives them', () => {
    const table = Array.from(
      architecture.matchAll(/^\| (\d) \| `([^`]+)` \|/gm),
      ([, floor, room]) => `${room} ${floor}`,
    )
    const inMap = Array.from(map.matchAll(/^### `([a-z]+\/)`.* floor (\d)$/gm), ([, room, floor]) => `${room} ${floor}`)
    const withoutRoot = table.filter(line => !/\.ts 0$/.test(line))
    assert.deepEqual(withoutRoot.sort(), inMap.filter(line => line !== 'src/ 0').sort())
    const rooms = new Set(files.filter(file => file.includes('/')).map(file => `${file.split('/')[0]}/`))
    assert.deepEqual(withoutRoot.map(line => line.split(' ')[0]).sort(), [...rooms].sort())
  })
})

describe("ARCHITECTURE's file map", () => {
  it('names every file of src/ but the generated ones', () => {
    const mapped = new Set(mappedFiles())
    assert.deepEqual(
      files.filter(file => !mapped.has(file)),
      [],
    )
  })

  it('names no file that is not there, and none twice', () => {
    const mapped = mappedFiles()
    const there = new Set(files)
    assert.deepEqual(
      mapped.filter((file, at) => !there.has(file) || mapped.indexOf(file) < at),
      [],
    )
  })
})
