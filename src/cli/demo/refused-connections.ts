/** What the gateway's TLS port does with those who should not get in. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ApiKey } from '../../protocol/api-key.ts'
import { encodeRequest } from '../../protocol/codec.ts'
import { apiVersionsRequestDefaults } from '../../protocol/generated/api-versions-request.ts'
import type { Target } from './demo-connection.ts'

const patienceMs = 5_000
/** First byte of a TLS alert: what a server may say to a client that does not speak TLS. */
const tlsAlert = 0x15

export interface Fate {
  readonly isClosed: boolean
  /** Whatever came back, but for TLS itself. */
  readonly answer: Buffer
}

/** Asks for the versions of every API, without TLS. */
export async function speakPlaintext(host: string, port: number): Promise<Fate> {
  const { isClosed, answer } = await fateOf(connect({ host, port }), 'connect')
  return { isClosed, answer: answer[0] === tlsAlert ? Buffer.alloc(0) : answer }
}

/** The same over TLS. */
export function speakTls({ host, port, ca, identity }: Target): Promise<Fate> {
  const own = identity === undefined ? {} : { cert: identity.certificate, key: identity.key }
  return fateOf(
    connectTls({ host, port, servername: host, ...(ca === undefined ? {} : { ca }), ...own }),
    'secureConnect',
  )
}

function fateOf(socket: Socket, ready: 'connect' | 'secureConnect'): Promise<Fate> {
  const header = { apiVersion: 0, correlationId: 1, clientId: 'vkitm-demo' }
  const question = Buffer.concat(encodeRequest(ApiKey.ApiVersions, header, apiVersionsRequestDefaults()))
  return new Promise(resolve => {
    const received: Buffer[] = []
    const end = (isClosed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ isClosed, answer: Buffer.concat(received) })
    }
    const timer = setTimeout(() => end(false), patienceMs)
    socket.once(ready, () => socket.write(question))
    socket.on('data', chunk => received.push(chunk))
    // A reset is a way of closing, too: 'close' follows.
    socket.on('error', () => socket.destroy())
    socket.once('close', () => end(true))
  })
}

/** Why a client that trusts only the public authorities does not talk to this server; undefined where it does. */
export function reasonForDistrust(host: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = connectTls({ host, port, servername: host })
    const end = (reason: string | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(reason)
    }
    const timer = setTimeout(() => end(`no handshake within ${patienceMs} ms`), patienceMs)
    socket.once('secureConnect', () => end(undefined))
    socket.once('error', error => end('code' in error ? String(error.code) : error.message))
  })
}
