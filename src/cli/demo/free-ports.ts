/** Ports that the demo may take: the same ones whenever they are free, so that what a person copied works again. */
import { createServer, type Server } from 'node:net'
import { VkitmError } from '../../errors.ts'

export interface DemoPorts {
  readonly bootstrap: number
  /** The port of broker 0; the others follow. */
  readonly firstBroker: number
  readonly lastBroker: number
  readonly admin: number
}

const host = '127.0.0.1'
const firstBase = 19_092
const lastBase = 30_092
const nextBase = 1_000
/** Bootstrap 19092, admin 19099, brokers 19100 to 19109. */
const adminAfter = 7
const brokersAfter = 8
const brokers = 10

export async function findPorts(): Promise<DemoPorts> {
  for (let base = firstBase; base <= lastBase; base += nextBase) {
    const ports = {
      bootstrap: base,
      firstBroker: base + brokersAfter,
      lastBroker: base + brokersAfter + brokers - 1,
      admin: base + adminAfter,
    }
    if (await areFree(ports)) return ports
  }
  throw new VkitmError('VKITM_DEMO', `no ${brokers + 2} free ports found between ${firstBase} and ${lastBase}`)
}

export async function findPort(): Promise<number> {
  const server = await hold(0)
  if (server === undefined) throw new VkitmError('VKITM_DEMO', `${host} has no free port`)
  return release(server)
}

async function areFree({ bootstrap, admin, firstBroker }: DemoPorts): Promise<boolean> {
  const ports = [bootstrap, admin, ...Array.from({ length: brokers }, (_, at) => firstBroker + at)]
  const held = await Promise.all(ports.map(hold))
  await Promise.all(held.map(server => server && release(server)))
  return held.every(server => server !== undefined)
}

function hold(port: number): Promise<Server | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host, port }, () => resolve(server))
  })
}

function release(server: Server): Promise<number> {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return new Promise(resolve => server.close(() => resolve(port)))
}
