/**
 * Where in the file system it is decided what a path means: the folder that holds the file, and every folder that holds
 * a symbolic link on the way. Kubernetes swaps a folder by such a link (`..data`), and nothing happens to the file.
 */
import { lstat, readlink } from 'node:fs/promises'
import { parse, resolve, sep } from 'node:path'

/** One entry of one folder; the folder exists. */
export interface WatchedPlace {
  readonly folder: string
  readonly entry: string
}

export interface PathMeaning {
  readonly places: readonly WatchedPlace[]
  /** Changes whenever a link leads elsewhere or something on the way is replaced. */
  readonly newestChangeMs: number
}

/** As the kernel counts before it gives up with ELOOP. */
const LINKS_MAX = 40

/** Walks the path entry by entry, as far as it exists; where it ends early, the missing entry is what to wait for. */
export async function meaningOf(path: string): Promise<PathMeaning> {
  const places: WatchedPlace[] = []
  let newestChangeMs = 0
  let { root: folder } = parse(path)
  let rest = path.slice(folder.length).split(sep)
  for (let links = 0; rest.length > 0; ) {
    const [entry = '', ...after] = rest
    const here = resolve(folder, entry)
    const stat = await lstat(here).catch(() => undefined)
    // The folder of the file may be replaced, too; further up that is left to looking now and then.
    const isLast = after.length <= 1
    if (stat === undefined) return { places: [...places, { folder, entry }], newestChangeMs }
    if (stat.isSymbolicLink() || isLast) places.push({ folder, entry })
    // A folder's own time changes with every file in it.
    if (!stat.isDirectory()) newestChangeMs = Math.max(newestChangeMs, stat.ctimeMs)
    if (!stat.isSymbolicLink()) {
      folder = here
      rest = after
      continue
    }
    if (++links > LINKS_MAX) break
    const target = resolve(folder, await readlink(here).catch(() => entry))
    folder = parse(target).root
    rest = [...target.slice(folder.length).split(sep), ...after]
  }
  return { places, newestChangeMs }
}
