import { readFile } from 'node:fs/promises'
import type { FileContent } from './config.ts'
import type { Place } from './place.ts'

const FILE_BYTES_MAX = 16 * 1024 * 1024

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
/** What is wrong with a content, if anything; follows the path in a sentence. */
type Examine = (content: Buffer) => string | undefined

interface Request {
  readonly place: Place
  readonly examinations: Examine[]
}

/** Files that the configuration names: asked for while it is read, read together afterwards, each once. */
export class FileReads {
  readonly #requests = new Map<Mutable<FileContent>, Request>()

  /** Fills `target.content` in `readAll`. */
  request<T extends FileContent>(target: T, place: Place, examine: Examine): T {
    this.#requests.set(target, { place, examinations: [examine] })
    return target
  }

  /** One more thing that must hold for a file already asked for. */
  examine(target: FileContent, examine: Examine): void {
    this.#requests.get(target)?.examinations.push(examine)
  }

  async readAll(): Promise<void> {
    const contents = new Map<string, Promise<Buffer>>()
    for (const [target, request] of this.#requests) {
      const content = contents.get(target.path) ?? readFile(target.path)
      contents.set(target.path, content)
      await fill(target, request, content)
    }
  }
}

async function fill(
  target: Mutable<FileContent>,
  { place, examinations }: Request,
  reading: Promise<Buffer>,
): Promise<void> {
  try {
    target.content = await reading
  } catch (error) {
    return place.problem(unreadable(target.path, error, place.reading.folder))
  }
  const { content, path } = target
  const size: Examine = () => (content.length > FILE_BYTES_MAX ? 'is larger than 16 MiB' : undefined)
  const wrong = [size, ...examinations].map(examine => examine(content)).find(problem => problem !== undefined)
  if (wrong !== undefined) place.problem(`${path} ${wrong}`)
}

/** One line: which file, why not, and what to do. */
export function unreadable(path: string, error: unknown, folder: string): string {
  const { code = String(error) } = error as { code?: string }
  if (code === 'ENOENT') return `cannot read ${path}: there is no such file; relative paths start at ${folder}`
  if (code === 'EACCES') return `cannot read ${path}: permission denied; let the user that runs vkitm read it`
  if (code === 'EISDIR') return `cannot read ${path}: it is a directory; name the file in it`
  return `cannot read ${path}: ${code}`
}
