/**
 * The file that decisions are written down in. A reload opens it again by its name, so that whoever rotates it renames it
 * and sends SIGHUP, as for any daemon; what is being written then still goes to the old one.
 */
import { close, fstatSync, open } from 'node:fs'
import { promisify } from 'node:util'
import type { Reloadable } from '../config/reloadable.ts'
import { ConfigError } from '../errors.ts'
import { LineSink } from '../telemetry/line-sink.ts'

/** It names who asked for what. */
const fileMode = 0o640

export interface AuditFileOptions {
  /** Absolute. */
  readonly path: string
  /** No record may be lost. */
  readonly isRequired: boolean
}

export class AuditFile implements Reloadable {
  readonly name = 'audit file'
  /** Not watched: it changes with every record. */
  readonly files: readonly string[] = []
  readonly sink: LineSink
  readonly #path: string
  #fd: number

  private constructor({ path, isRequired }: AuditFileOptions, fd: number) {
    this.#path = path
    this.#fd = fd
    this.sink = new LineSink({ fd, keepsLines: isRequired })
  }

  /** Rejects with a ConfigError where it cannot be appended to. */
  static async open(options: AuditFileOptions): Promise<AuditFile> {
    return new AuditFile(options, await openToAppend(options.path))
  }

  async reload(): Promise<void> {
    const [before, fd] = [this.#fd, await openToAppend(this.#path)]
    if (!isReplaced(before, fd)) return closed(fd)
    this.#fd = fd
    await this.sink.moveTo(fd)
    await closed(before)
  }
}

const closed = promisify(close)
// Not of fs/promises: Node closes a FileHandle that nobody holds, and its number would soon be somebody's connection.
const opened = promisify(open)

async function openToAppend(path: string): Promise<number> {
  try {
    return await opened(path, 'a', fileMode)
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code
    const message = `cannot append to ${path}: ${why}; name a file in a folder that vkitm may write to`
    throw new ConfigError([{ path: 'audit.file', message }], { cause })
  }
}

/** Pipes and terminals are not rotated. */
function isReplaced(before: number, now: number): boolean {
  const [one, other] = [fstatSync(before), fstatSync(now)]
  return one.isFile() && (one.dev !== other.dev || one.ino !== other.ino)
}
