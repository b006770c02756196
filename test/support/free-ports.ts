import { createServer, type Server } from 'node:net'

// Below the range that Linux gives to outgoing connections (32768 and up): a port must still be free when
// the broker that had it is started again.
const lowest = 18_000
const highest = 31_000

/** Ports of 127.0.0.1 that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = []
  while (held.length < count) {
    const server = await tryListen(lowest + Math.floor(Math.random() * (highest - lowest)))
    if (server !== undefined) held.push(server)
  }
  const ports = held.map(portOf)
  await Promise.all(held.map(close))
  return ports
}

/** The first of `count` ports in a row that nobody listens on. */
export async function freePortRange(count: number): Promise<number> {
  for (;;) {
    const first = lowest + Math.floor(Math.random() * (highest - lowest - count))
    const servers = await Promise.all(Array.from({ length: count }, (_, index) => tryListen(first + index)))
    const held = servers.filter(server => server !== undefined)
    await Promise.all(held.map(close))
    if (held.length === count) return first
  }
}

function tryListen(port: number): Promise<Server | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()))
}
