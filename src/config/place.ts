import type { Problem } from '../errors.ts'
import type { FileReads } from './file-reads.ts'
import type { SocketClaims } from './socket-claims.ts'

/** What reading one configuration gathers on its way. */
export interface Reading {
  /** Relative paths start here. */
  readonly folder: string
  readonly problems: Problem[]
  readonly warnings: Problem[]
  readonly files: FileReads
  readonly sockets: SocketClaims
  /** When certificates have to be valid. */
  readonly now: Date
  /** Where each name was first given, by kind and name. */
  readonly names: Map<string, string>
  /** What stood in the file where a reference was replaced, by path: the replacement may be a secret. */
  readonly written: ReadonlyMap<string, string>
}

const SHOWN_MAX = 80

/** A spot in the configuration, in the user's words, and where to report what is wrong with it. */
export class Place {
  readonly path: string
  readonly reading: Reading

  constructor(reading: Reading, path = '') {
    this.path = path
    this.reading = reading
  }

  key(name: string): Place {
    return new Place(this.reading, childPath(this.path, name))
  }

  item(index: number): Place {
    return new Place(this.reading, childPath(this.path, index))
  }

  problem(message: string): undefined {
    this.reading.problems.push({ path: this.path, message })
  }

  /** Reports that something has to be here, unless what is here has its problem already. */
  missing(hint: string): undefined {
    if (!this.hasProblem) this.problem(`is required: ${hint}`)
  }

  get hasProblem(): boolean {
    return this.reading.problems.some(({ path }) => isWithin(path, this.path))
  }

  /** Names are labels in logs and metrics: each means one thing in the whole file. */
  claimName(kind: string, name: string | undefined): void {
    if (name === undefined) return
    const { names } = this.reading
    const first = names.get(`${kind} ${name}`)
    if (first === undefined) names.set(`${kind} ${name}`, this.path)
    else this.problem(`"${name}" is already ${first}: choose another`)
  }

  warning(message: string): void {
    this.reading.warnings.push({ path: this.path, message })
  }

  /** What the user wrote here where a reference was replaced: all that a message may show of it. */
  get written(): string | undefined {
    return this.reading.written.get(this.path)
  }

  /** The value as the user wrote it, for a message. */
  shown(value: unknown): string {
    const text = this.written ?? value
    if (Array.isArray(text)) return 'a list'
    if (text === null || text === undefined) return 'nothing'
    if (typeof text === 'object') return 'a mapping'
    const whole = String(text)
    return `"${whole.length > SHOWN_MAX ? `${whole.slice(0, SHOWN_MAX)}…` : whole}"`
  }
}

export function childPath(path: string, child: string | number): string {
  if (typeof child === 'number') return `${path}[${child}]`
  return path === '' ? child : `${path}.${child}`
}

function isWithin(path: string, parent: string): boolean {
  return path.startsWith(parent) && ['', '.', '['].includes(path.slice(parent.length, parent.length + 1))
}
