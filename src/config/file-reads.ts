import { PolicyError, VkitmError } from '../errors.ts'
import { type ReadFile, readWithAccess } from './bounded-read.ts'
import type { FileContent } from './config.ts'
import type { Place } from './place.ts'

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

interface Proof {
  readonly files: readonly FileContent[]
  readonly place: Place
  /** A promise is waited for. */
  readonly prove: () => unknown
  readonly isSilent?: boolean
}

/** Files that the configuration names: asked for while it is read, read together afterwards, each once. */
export class FileReads {
  readonly #requests = new Map<Mutable<FileContent>, Place>()
  readonly #proofs: Proof[] = []
  readonly #unreadable = new Set<FileContent>()

  /** Fills `target.content` in `settle`. */
  request<T extends FileContent>(target: T, place: Place): T {
    this.#requests.set(target, place)
    return target
  }

  /** `prove` runs once the files are read, and throws an error of ours where they are of no use. */
  expect(files: readonly FileContent[], place: Place, prove: Proof['prove']): void {
    this.#proofs.push({ files, place, prove })
  }

  /** The same for what is only worth saying of files that are good: whoever asked for those reports what is not. */
  expectWhereGood(files: readonly FileContent[], place: Place, prove: Proof['prove']): void {
    this.#proofs.push({ files, place, prove, isSilent: true })
  }

  async settle(): Promise<void> {
    const contents = new Map<string, Promise<ReadFile>>()
    for (const [target, place] of this.#requests) {
      const content = contents.get(target.path) ?? readWithAccess(target.path)
      contents.set(target.path, content)
      await this.#fill(target, place, content)
    }
    for (const { files, place, prove, isSilent = false } of this.#proofs) {
      if (!files.some(file => this.#unreadable.has(file))) await report(place, prove, isSilent)
    }
  }

  async #fill(target: Mutable<FileContent>, place: Place, reading: Promise<ReadFile>): Promise<void> {
    try {
      Object.assign(target, await reading)
      return
    } catch (error) {
      place.problem(unreadable(place.written ?? target.path, error, place.reading.folder))
    }
    this.#unreadable.add(target)
  }
}

async function report(place: Place, prove: Proof['prove'], isSilent: boolean): Promise<void> {
  try {
    await prove()
  } catch (error) {
    if (!(error instanceof VkitmError)) throw error
    if (isSilent) return
    if (!(error instanceof PolicyError)) return place.problem(error.message)
    // Its problems have places of their own: a file and a line.
    place.reading.problems.push(...error.problems)
  }
}

/** One line: which file, why not, and what to do. */
export function unreadable(path: string, error: unknown, folder: string): string {
  const { code = String(error) } = error as { code?: string }
  if (code === 'ENOENT') return `cannot read ${path}: there is no such file; relative paths start at ${folder}`
  if (code === 'EACCES') return `cannot read ${path}: permission denied; let the user that runs vkitm read it`
  if (code === 'EISDIR') return `cannot read ${path}: it is a directory; name the file in it`
  if (code === 'EFBIG') return `cannot read ${path}: larger than 16 MiB`
  if (code === 'ENOTSUP') return `cannot read ${path}: it is no regular file`
  return `cannot read ${path}: ${code}`
}
