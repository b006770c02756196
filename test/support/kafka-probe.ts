// What does a broker know of its cluster? Spoken by hand, so that the rig does not lean on the code it is there to test.
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

export interface KnownPartition {
  readonly topic: string
  readonly index: number
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

export interface KnownCluster {
  /** The brokers that are up and what they advertise; by id. */
  readonly brokers: readonly KnownBroker[]
  readonly partitions: readonly KnownPartition[]
}

/** The cluster as the broker at `host`:`port` sees it. */
export async function clusterSeenAt({ host, port, tls, timeoutMs }: ProbeOptions): Promise<KnownCluster> {
  const signal = AbortSignal.timeout(timeoutMs)
  // Readiness only: whom we reach is the business of the clients under test.
  const socket = tls ? connectTls({ host, port, rejectUnauthorized: false }) : connect({ host, port })
  try {
    await once(socket, tls ? 'secureConnect' : 'connect', { signal })
    socket.write(metadataRequest())
    return knownCluster(new Fields(await frame(socket, signal)))
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
  // No list at all asks for every topic.
  request.writeInt32BE(-1, 14)
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

function knownCluster(fields: Fields): KnownCluster {
  const brokers = fields.array(() => {
    const broker = { id: fields.int32(), host: fields.text(), port: fields.int32() }
    fields.text()
    return broker
  })
  fields.int32()
  const partitions = fields.array(() => {
    fields.int16()
    const topic = fields.text()
    fields.int8()
    return fields.array(() => {
      fields.int16()
      const [index, leader] = [fields.int32(), fields.int32()]
      return { topic, index, leader, replicas: fields.int32s(), inSync: fields.int32s() }
    })
  })
  return { brokers: brokers.sort((a, b) => a.id - b.id), partitions: partitions.flat() }
}

class Fields {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int8(): number {
    return this.#bytes.readInt8(this.#skip(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#skip(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#skip(4))
  }

  text(): string {
    const length = Math.max(0, this.int16())
    const start = this.#skip(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  array<Item>(read: () => Item): Item[] {
    return Array.from({ length: this.int32() }, read)
  }

  int32s(): number[] {
    return this.array(() => this.int32())
  }

  #skip(bytes: number): number {
    const start = this.#at
    this.#at += bytes
    return start
  }
}
