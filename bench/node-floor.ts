// A TLS-to-TCP pipe on Node's handles, below its streams: the least that Node can do such work for. Not a way to build a
// gateway, since it stands on what Node keeps to itself; it tells what no gateway on Node can fall below.
// Each direction reads into one buffer, again and again, and reads on when that has been written.
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createServer, TLSSocket } from 'node:tls'

interface WriteRequest {
  oncomplete?: () => void
  /** Node does not keep it while the system reads from it. */
  bytes?: Buffer
}

interface Handle {
  readStart(): number
  readStop(): number
  useUserBuffer(buffer: Buffer): void
  writeBuffer(request: WriteRequest, bytes: Buffer): number
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest
  readonly streamBaseState: Int32Array
  readonly kLastWriteWasAsync: number
}

const [port, brokerPort, certificate, key, ciphers] = process.argv.slice(2)
if (ciphers === undefined) throw new Error('usage: node-floor PORT BROKER_PORT CERTIFICATE KEY CIPHERS')

// Missing in the types: it is deprecated, and there is no other way down there.
const { binding } = process as unknown as { binding(name: string): StreamBinding }
const { WriteWrap, streamBaseState, kLastWriteWasAsync } = binding('stream_wrap')
const bufferBytes = 64 * 1024

const handleOf = (socket: Socket): Handle => (socket as unknown as { _handle: Handle })._handle

/** A socket with `onread` keeps its buffer and its callback under these symbols; so does one that gets them later. */
function slotsOf(socket: Socket): { readonly buffer: symbol; readonly callback: symbol } {
  const slot = (description: string): symbol => {
    const symbol = Object.getOwnPropertySymbols(socket).find(each => each.description === description)
    if (symbol === undefined) throw new Error(`this Node's sockets have no ${description}`)
    return symbol
  }
  return { buffer: slot('kBuffer'), callback: slot('kBufferCb') }
}

function pump(from: Socket, to: Socket, slots: ReturnType<typeof slotsOf>): void {
  const [source, target] = [handleOf(from), handleOf(to)]
  let buffer: Buffer = Buffer.alloc(0)
  const readInto = (next: Buffer): void => {
    buffer = next
    source.useUserBuffer(next)
    Object.assign(from, { [slots.buffer]: next })
  }
  let writing = 0
  const written = (): void => {
    if (--writing === 0) source.readStart()
  }
  const received = (bytes: number): boolean => {
    const request = new WriteWrap()
    request.oncomplete = written
    request.bytes = buffer.subarray(0, bytes)
    if (target.writeBuffer(request, request.bytes) !== 0) {
      from.destroy()
      to.destroy()
    } else if (streamBaseState[kLastWriteWasAsync]) {
      writing++
      source.readStop()
      // TLS copies what it is given. TCP does not, and a decrypted read may be followed by others all the same.
      if (!(to instanceof TLSSocket)) readInto(Buffer.allocUnsafeSlow(bufferBytes))
    }
    return true
  }
  readInto(Buffer.allocUnsafeSlow(bufferBytes))
  Object.assign(from, { [slots.callback]: received })
  const early: Buffer | null = from.read()
  if (early !== null) to.write(early)
  source.readStart()
}

const identity = { cert: readFileSync(certificate!), key: readFileSync(key!) }
const server = createServer({ ...identity, ciphers, honorCipherOrder: true }, (client: TLSSocket) => {
  const onread = { buffer: Buffer.alloc(1), callback: () => true }
  const broker = connect({ host: '127.0.0.1', port: Number(brokerPort), noDelay: true, onread })
  client.setNoDelay(true)
  client.pause()
  handleOf(client).readStop()
  broker.once('connect', () => {
    const slots = slotsOf(broker)
    pump(client, broker, slots)
    pump(broker, client, slots)
  })
  client.on('error', () => broker.destroy()).on('close', () => broker.destroy())
  broker.on('error', () => client.destroy()).on('close', () => client.destroy())
})
server.listen({ host: '127.0.0.1', port: Number(port), backlog: 4_096 })
process.on('SIGTERM', () => process.exit(0))
