/**
 * Sessions of brokers to resume, one for each verified name. Node skips the check of the host name on a resumed session,
 * so only a session whose handshake was verified for that very name is kept. A cache lives and dies with its ClientTls.
 */
import type { TLSSocket } from 'node:tls'

export class SessionCache {
  readonly #sessions = new Map<string, Buffer>()
  readonly #entriesMax: number

  constructor(entriesMax = 1000) {
    this.#entriesMax = entriesMax
  }

  /** `key` is the verified name with the port: two brokers of one name do not know each other's tickets. */
  get(key: string): Buffer | undefined {
    return this.#sessions.get(key)
  }

  /** To be called before the handshake of `socket` ends. */
  watch(key: string, socket: TLSSocket): void {
    // Node holds a session back until the certificate is judged; without verification it hands it out all the same.
    socket.on('session', session => {
      if (socket.authorized) this.#put(key, session)
    })
  }

  #put(key: string, session: Buffer): void {
    this.#sessions.delete(key)
    this.#sessions.set(key, session)
    if (this.#sessions.size <= this.#entriesMax) return
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest)
      return
    }
  }
}
