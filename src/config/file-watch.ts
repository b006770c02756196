/**
 * The one watcher of files: policies, users, certificates and whatever else may change while the gateway runs. It looks
 * at folders, because editors and Kubernetes replace files instead of writing them; it believes no event but the content;
 * and it looks by itself now and then, because some file systems tell nothing.
 */
import { createHash } from 'node:crypto'
import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { FILE_BYTES_MAX, readBounded } from './bounded-read.ts'
import { meaningOf, type WatchedPlace } from './watched-places.ts'

export interface FileWatchOptions {
  /** Absolute paths of the files whose content differs from what it was, or that came or went. */
  readonly changed: (paths: readonly string[]) => void
  /** What changed from this moment until the first look counts as changed: the files were read in the meantime. */
  readonly since?: Date
  /** How long it must have been quiet, so that nobody is caught in the middle of writing. */
  readonly quietMs?: number
  /** A file that is written to all the time is looked at this often all the same. */
  readonly quietMsMax?: number
  readonly pollMs?: number
}

interface Known {
  /** Of the content; `undefined` before the first look. */
  readonly fingerprint: string | undefined
  /** Where the content may be found changed without reading it. */
  readonly signature: string
}

interface Folder {
  readonly watcher: FSWatcher
  /** Another inode under the same name is another folder, and the watch is on the old one. */
  readonly inode: string
  entries: ReadonlySet<string>
}

/** Beyond these, changes are found by looking alone. */
const FOLDERS_MAX = 256
/** File systems round times: a file that was just changed may change again without showing it. */
const CLOCK_GRAIN_MS = 20
const LOOK_TWICE_MS = 2_000

export class FileWatch {
  readonly #options: Required<Omit<FileWatchOptions, 'since'>>
  readonly #since: number
  readonly #known = new Map<string, Known>()
  readonly #folders = new Map<string, Folder>()
  readonly #poll: NodeJS.Timeout
  #timer: NodeJS.Timeout | undefined
  /** When the first of the events came that were not looked at yet. */
  #firstEventAt: number | undefined
  #isClosed = false
  #looking: Promise<void> = Promise.resolve()

  constructor({ changed, since, quietMs = 150, quietMsMax = 1_000, pollMs = 2_000 }: FileWatchOptions) {
    this.#options = { changed, quietMs, quietMsMax, pollMs }
    this.#since = (since?.getTime() ?? Number.POSITIVE_INFINITY) - CLOCK_GRAIN_MS
    this.#poll = setInterval(() => void this.#enqueue(() => this.#pollOnce()), pollMs)
    this.#poll.unref()
  }

  /** Replaces the set of watched files; resolves once every one of them has been looked at. */
  watch(paths: Iterable<string>): Promise<void> {
    const wanted = new Set(Array.from(paths, path => resolve(path)))
    for (const path of this.#known.keys()) if (!wanted.has(path)) this.#known.delete(path)
    for (const path of wanted) {
      if (!this.#known.has(path)) this.#known.set(path, { fingerprint: undefined, signature: '' })
    }
    return this.#enqueue(() => this.#look([...this.#known.keys()]))
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#poll)
    clearTimeout(this.#timer)
    for (const { watcher } of this.#folders.values()) watcher.close()
    this.#folders.clear()
    this.#known.clear()
  }

  /** One look after the other; a look never rejects, since whatever is wrong with a file is a way to look. */
  #enqueue(look: () => Promise<void>): Promise<void> {
    this.#looking = this.#looking.then(() => (this.#isClosed ? undefined : look()))
    return this.#looking
  }

  #happened(): void {
    if (this.#isClosed) return
    const { quietMs, quietMsMax } = this.#options
    const now = performance.now()
    this.#firstEventAt ??= now
    clearTimeout(this.#timer)
    const delayMs = Math.max(0, Math.min(quietMs, this.#firstEventAt + quietMsMax - now))
    this.#timer = setTimeout(() => {
      this.#firstEventAt = undefined
      void this.#enqueue(() => this.#look([...this.#known.keys()]))
    }, delayMs)
    this.#timer.unref()
  }

  /** Cheap: content is read only where something about the file is different. */
  async #pollOnce(): Promise<void> {
    const suspects: string[] = []
    for (const [path, { signature }] of [...this.#known]) {
      const now = await signatureOf(path)
      if (now !== signature || isRecent(now)) suspects.push(path)
    }
    await this.#look(suspects)
  }

  async #look(paths: readonly string[]): Promise<void> {
    await this.#followFolders()
    const changed: string[] = []
    for (const path of paths) {
      const before = this.#known.get(path)
      const signature = await signatureOf(path)
      const fingerprint = await fingerprintOf(path)
      if (before === undefined || this.#known.get(path) !== before) continue
      this.#known.set(path, { fingerprint, signature })
      const isNews =
        before.fingerprint === undefined
          ? await this.#isNewsAtFirstLook(path, signature)
          : before.fingerprint !== fingerprint
      if (isNews) changed.push(path)
    }
    if (changed.length > 0 && !this.#isClosed) this.#options.changed(changed)
  }

  /** Who says since when the files were read has read them: one that is not there any more went since. */
  async #isNewsAtFirstLook(path: string, signature: string): Promise<boolean> {
    if (isUnreadable(signature) && Number.isFinite(this.#since)) return true
    return (await meaningOf(path)).newestChangeMs >= this.#since
  }

  /** Folders come, go and are replaced: the watches are set anew before each look, so that nothing falls in between. */
  async #followFolders(): Promise<void> {
    const wanted = new Map<string, Set<string>>()
    for (const path of this.#known.keys()) {
      for (const place of (await meaningOf(path)).places) addPlace(wanted, place)
    }
    for (const [folder, { watcher }] of this.#folders) {
      if (wanted.has(folder)) continue
      watcher.close()
      this.#folders.delete(folder)
    }
    for (const [folder, entries] of wanted) await this.#followFolder(folder, entries)
  }

  async #followFolder(folder: string, entries: ReadonlySet<string>): Promise<void> {
    const inode = await inodeOf(folder)
    const known = this.#folders.get(folder)
    if (known !== undefined && known.inode === inode) {
      known.entries = entries
      return
    }
    known?.watcher.close()
    this.#folders.delete(folder)
    if (inode === undefined || this.#isClosed || this.#folders.size >= FOLDERS_MAX) return
    const watcher = this.#watchFolder(folder)
    if (watcher !== undefined) this.#folders.set(folder, { watcher, inode, entries })
  }

  /** Where the system has no watch to give, looking now and then has to do. */
  #watchFolder(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, (_, entry) => {
        // Other files of the folder, a log perhaps, are nobody's business.
        if (entry === null || this.#folders.get(folder)?.entries.has(entry)) this.#happened()
        else if (folder.endsWith(`/${entry}`)) this.#happened()
      })
      watcher.on('error', () => {
        watcher.close()
        this.#folders.delete(folder)
        this.#happened()
      })
      return watcher
    } catch {
      return undefined
    }
  }
}

function addPlace(wanted: Map<string, Set<string>>, { folder, entry }: WatchedPlace): void {
  const entries = wanted.get(folder) ?? new Set()
  wanted.set(folder, entries.add(entry))
}

async function inodeOf(folder: string): Promise<string | undefined> {
  const found = await stat(folder, { bigint: true }).catch(() => undefined)
  return found === undefined ? undefined : `${found.dev}:${found.ino}`
}

async function signatureOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => error.code ?? 'unknown')
  if (typeof found === 'string') return found
  return [found.ctimeMs, found.mtimeNs, found.ctimeNs, found.size, found.dev, found.ino].join(' ')
}

/** An error code stands where a file could not be looked at. */
const isUnreadable = (signature: string): boolean => !signature.includes(' ')

const isRecent = (signature: string): boolean => Date.now() - Number(signature.split(' ')[0]) < LOOK_TWICE_MS * 2

/** What cannot be read has a fingerprint too: that a file went is as much a change as that it came. */
async function fingerprintOf(path: string): Promise<string> {
  try {
    return createHash('sha256')
      .update(await readBounded(path, FILE_BYTES_MAX))
      .digest('hex')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
}
