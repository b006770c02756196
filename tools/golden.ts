// Writes test/golden/: for every message and version, values drawn from a seed and the bytes Java's own code gives them.
// With --check only compares what is committed with what Java says now.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kebabCase } from './generator/model.ts'
import { toJson } from './golden/json.ts'
import { loadMessages, type MessageCode } from './golden/message-code.ts'
import { Random } from './golden/random.ts'
import { askJava, drawSample, type Sample } from './golden/sample.ts'

const folder = join(import.meta.dirname, '..', '..', 'test', 'golden')
const seed = 20_261_006
const shapes = (['dense', 'bare', 'bare', 'random'] as const).map(
  fullness => ({ fill: 'valid', size: 'small', fullness }) as const,
)

function entry(sample: Sample, bytes: Buffer | string): string {
  const { code, version, value, tags } = sample
  if (typeof bytes === 'string') throw new Error(`${code.name} version ${version}: Java says ${bytes}`)
  const raw = tags.map(tag => [tag.tag, tag.data.toString('base64')])
  const json = toJson(code.root, value, { longs: 'quoted' })
  return `{"version":${version},"value":${json},"tags":${JSON.stringify(raw)},"bytes":"${bytes.toString('base64')}"}`
}

/** Messages do not share their randomness: a new one changes no file but its own. */
function drawSamples(code: MessageCode): Sample[] {
  const random = new Random([...code.name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), seed))
  return code.versions.flatMap(version => shapes.map(shape => drawSample(code, version, shape, random)))
}

async function goldenFiles(): Promise<Map<string, string>> {
  const samples = (await loadMessages()).flatMap(drawSamples)
  const answers = askJava(samples)
  const entries = new Map<string, string[]>()
  for (const [index, sample] of samples.entries()) {
    const name = `${kebabCase(sample.code.name)}.json`
    const lines = entries.get(name) ?? []
    entries.set(name, lines)
    lines.push(entry(sample, answers[index]!))
  }
  return new Map([...entries].map(([name, lines]) => [name, `[\n${lines.join(',\n')}\n]\n`]))
}

const jsonFiles = () => readdirSync(folder).filter(name => name.endsWith('.json'))

function check(files: ReadonlyMap<string, string>): void {
  const names = new Set([...files.keys(), ...jsonFiles()])
  for (const name of [...names].toSorted()) {
    if (jsonFiles().includes(name) && files.get(name) === readFileSync(join(folder, name), 'utf8')) continue
    console.error(`test/golden/${name} is not what Java writes`)
    process.exitCode = 1
  }
}

function write(files: ReadonlyMap<string, string>): void {
  mkdirSync(folder, { recursive: true })
  for (const name of jsonFiles()) if (!files.has(name)) rmSync(join(folder, name))
  for (const [name, text] of files) writeFileSync(join(folder, name), text)
  const bytes = [...files.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  console.log(`${files.size} files, ${bytes} bytes in test/golden`)
}

const files = await goldenFiles()
if (process.argv.includes('--check')) check(files)
else write(files)
