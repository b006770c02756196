/** What reached the nodes, byte for byte, so that tests can prove it: also what could not be read. */
import type { ApiKey } from '../protocol/api-key.ts'
import type { RequestByKey } from '../protocol/codec.ts'
import type { RequestHeader } from '../protocol/request-header.ts'

export interface SeenConnection {
  /** Unique in the cluster. */
  readonly id: number
  readonly nodeId: number
  readonly remotePort: number
  /** Undefined where the node listens without TLS. */
  readonly tls: SeenTls | undefined
}

export interface SeenTls {
  readonly protocol: string | null
  /** Subject of the client's certificate; undefined where it sent none. */
  readonly subject: string | undefined
  readonly isAuthorized: boolean
  /** As the client asked for it (SNI). */
  readonly serverName: string | undefined
}

export interface SeenRequest<Key extends ApiKey = ApiKey> {
  readonly connection: SeenConnection
  readonly header: RequestHeader
  /** Undefined where the node does not serve the API or its version, or could not read it. */
  readonly body: RequestByKey[Key] | undefined
  /** Tagged fields nobody knows. */
  readonly unknownTags: number
  /** The frame with its length prefix. */
  readonly bytes: Buffer
}

/** The latest requests, oldest first; the number kept is bounded. */
export class Seen {
  readonly #countMax: number
  readonly #requests: SeenRequest[] = []

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  add(request: SeenRequest): void {
    this.#requests.push(request)
    if (this.#requests.length > this.#countMax) this.#requests.shift()
  }

  all(): readonly SeenRequest[] {
    return this.#requests
  }

  of<Key extends ApiKey>(key: Key): readonly SeenRequest<Key>[] {
    return this.#requests.filter((request): request is SeenRequest<Key> => request.header.apiKey === key)
  }

  clear(): void {
    this.#requests.length = 0
  }
}
