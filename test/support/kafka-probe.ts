// Which brokers does a broker know? Spoken by hand, so that the rig does not lean on the code it is there to test.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

const metadataKey = 3
const metadataVersion = 1

export interface ProbeOptions {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly timeoutMs: number
}

export interface KnownBroker {
  readonly id: number
  readonly host: string
  readonly port: number
}

/** The brokers that are up and what they advertise, as the broker at `host`:`port` sees them; by id. */
export async function brokersKnownAt({ host, port, tls, timeoutMs }: ProbeOptions): Promise<KnownBroker[]> {
  const signal = AbortSignal.timeout(timeoutMs)
  // Readiness only: whom we reach is the business of the clients under test.
  const socket = tls ? connectTls({ host, port, rejectUnauthorized: false }) : connect({ host, port })
  try {
    await once(socket, tls ? 'secureConnect' : 'connect', { signal })
    socket.write(metadataRequest())
    return knownBrokers(await frame(socket, signal))
  } finally {
    socket.on('error', () => {})
    socket.destroy()
  }
}

function metadataRequest(): Buffer {
  const request = Buffer.alloc(18)
  request.writeInt32BE(14, 0)
  request.writeInt16BE(metadataKey, 4)
  request.writeInt16BE(metadataVersion, 6)
  request.writeInt32BE(1, 8)
  request.writeInt16BE(-1, 12)
  // An empty list asks for the brokers alone.
  request.writeInt32BE(0, 14)
  return request
}

async function frame(socket: Socket, signal: AbortSignal): Promise<Buffer> {
  let received = Buffer.alloc(0)
  while (received.length < 4 || received.length < 4 + received.readInt32BE(0)) {
    const [chunk] = (await once(socket, 'data', { signal })) as [Buffer]
    received = Buffer.concat([received, chunk])
  }
  return received.subarray(8)
}

function knownBrokers(body: Buffer): KnownBroker[] {
  const brokers: KnownBroker[] = []
  let at = 4
  for (let left = body.readInt32BE(0); left > 0; left--) {
    const id = body.readInt32BE(at)
    const hostEnd = at + 6 + body.readInt16BE(at + 4)
    const host = body.toString('utf8', at + 6, hostEnd)
    brokers.push({ id, host, port: body.readInt32BE(hostEnd) })
    const rackLength = body.readInt16BE(hostEnd + 4)
    at = hostEnd + 6 + Math.max(0, rackLength)
  }
  return brokers.sort((a, b) => a.id - b.id)
}
