// Folders that are expensive to make and the same for every run live outside the work tree, keyed by what made them.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const root = process.env.VKITM_CACHE ?? join(homedir(), '.cache', 'vkitm')

/** A short name for everything that decides what a cached folder holds. */
export function cacheKey(name: string, ...ingredients: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(ingredients)).digest('hex').slice(0, 16)
  return `${name}-${hash}`
}

/**
 * The folder `key` of the cache, filled by `fill` where it does not exist yet. It appears under its name only
 * when complete, so neither a crash nor a second process doing the same leaves half of one behind.
 */
export async function cachedFolder(key: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(root, key)
  if (existsSync(folder)) return folder
  mkdirSync(root, { recursive: true })
  const draft = mkdtempSync(join(root, '.draft-'))
  try {
    await fill(draft)
    renameSync(draft, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  return folder
}

export function isCached(key: string): boolean {
  return existsSync(join(root, key))
}
