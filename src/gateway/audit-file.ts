/**
 * The file that decisions are written down in. A reload opens it again by its name, so that whoever rotates it renames it
 * and sends SIGHUP, as for any daemon; what is being written then still goes to the old one.
 */
import { close, constants, fstatSync, open } from 'node:fs'
import { promisify } from 'node:util'
import type { Reloadable } from '../config/reloadable.ts'
import { ConfigError } from '../errors.ts'
import { LineSink } from '../telemetry/line-sink.ts'

/** It names who asked for what. */
const fileMode = 0o640
/** Without O_NONBLOCK a pipe that nobody reads would hold up whoever opens it, and the end of the process. */
const toAppend = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK

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
  #current: OpenFile

  private constructor({ path, isRequired }: AuditFileOptions, current: OpenFile) {
    this.#path = path
    this.#current = current
    this.sink = new LineSink({ fd: current.fd, keepsLines: isRequired })
  }

  /** Rejects with a ConfigError where it cannot be appended to. */
  static async open(options: AuditFileOptions): Promise<AuditFile> {
    return new AuditFile(options, await openToAppend(options.path))
  }

  async reload(): Promise<void> {
    const before = this.#current
    // Pipes and terminals are not rotated.
    if (before.inode === undefined) return
    const now = await openToAppend(this.#path)
    if (now.inode === before.inode) return closed(now.fd)
    if (now.inode === undefined) {
      await closed(now.fd)
      throw cannotAppend(this.#path, 'it is a file no more')
    }
    this.#current = now
    // Not awaited: a write may hang with its disk, and no policy should wait for that. What closing says of the last write,
    // the sink has heard.
    void this.sink.moveTo(now.fd).then(() => close(before.fd, () => undefined))
  }
}

interface OpenFile {
  readonly fd: number
  /** Device and inode; undefined where it is no regular file. */
  readonly inode: string | undefined
}

const closed = promisify(close)
// Not of fs/promises: Node closes a FileHandle that nobody holds, and its number would soon be somebody's connection.
const opened = promisify(open)

async function openToAppend(path: string): Promise<OpenFile> {
  try {
    const fd = await opened(path, toAppend, fileMode)
    const stat = fstatSync(fd, { bigint: true })
    return { fd, inode: stat.isFile() ? `${stat.dev} ${stat.ino}` : undefined }
  } catch (cause) {
    throw cannotAppend(path, (cause as NodeJS.ErrnoException).code, cause)
  }
}

function cannotAppend(path: string, why: string | undefined, cause?: unknown): ConfigError {
  const message = `cannot append to ${path}: ${why}; name a file in a folder that vkitm may write to`
  return new ConfigError([{ path: 'audit.file', message }], { cause })
}
