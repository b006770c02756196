/** One broker, one gateway in front of it with a listener for every cell, and what clients need to come in there. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { usersOf } from '../sasl/scram-peers.ts'
import { createAuthority } from './certificates.ts'
import { projectRoot } from './client-builds.ts'
import { type ClientName, type Job, runClient } from './clients.ts'
import { freePortRange } from './free-ports.ts'
import { type GatewayProcess, startGateway } from './gateway.ts'
import type { Kafka } from './kafka.ts'
import { back, listenerOf, startMatrixBroker } from './matrix-broker.ts'
import { type Cell, cells } from './matrix-cells.ts'
import { backKeys, frontKeys, tokenEndpoint } from './matrix-keys.ts'
import { createTokenIssuer, type TokenIssuer } from './tokens.ts'

export const partitions = 3
const records = 100
const hour = 3_600
/** Longer than the gateway warns of: a warning here means something. */
const days = 60

/** Who logs in by what: one name for each, so that a policy can tell them apart. */
const users = { PLAIN: 'petra', 'SCRAM-SHA-256': 'sara', 'SCRAM-SHA-512': 'sven', OAUTHBEARER: 'olga' } as const
const certified = 'certified'
const passwordOf = (name: string): string => `front-${name}`

export interface Matrix {
  readonly kafka: Kafka
  readonly gateway: GatewayProcess
  /** Flags for Java clients. */
  readonly jvm: readonly string[]
  jobOf(cell: Cell, client: ClientName): Job
  /** Creates the topics of jobs, at the broker. */
  prepare(jobs: readonly Job[]): Promise<void>
  close(): Promise<void>
}

export async function openMatrix(): Promise<Matrix> {
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-matrix-'))
  const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const tokens = createTokenIssuer()
    const { upstream, front, client } = await writeFiles(folder, tokens)
    const kafka = await startMatrixBroker(upstream, join(folder, 'certs', 'jwks.json'))
    closers.push(() => kafka.stop())
    const endpoint = await startTokenEndpoint(tokens)
    closers.push(endpoint.stop)
    // Looked for when the broker has its ports: before, it might get one of these.
    const first = await freePortRange(2 * cells.length)
    const ports = new Map(cells.map((cell, at) => [cell, first + 2 * at]))
    const config = configOf({ kafka, folder, ports, endpoint: endpoint.url })
    const env = { TMPDIR: folder, VKITM_UPSTREAM_PASSWORD: back.gateway }
    const gateway = await startGateway({ config, env })
    closers.push(() => gateway.stop())
    const firstTimestamp = Date.now() - 1_000 * hour
    const tokenFile = tokens.save(join(folder, 'token'), users.OAUTHBEARER, hour)
    return {
      kafka,
      gateway,
      jvm: [`-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${pathToFileURL(tokenFile).href}`],
      jobOf: (cell, name) => ({
        bootstrap: [`localhost:${ports.get(cell)}`],
        ...placesOf(cell, name),
        ...(cell.front.transport === 'plaintext' ? {} : { ca: front.ca }),
        ...(cell.front.transport === 'mTLS' ? { certificate: client.certificate, key: client.key } : {}),
        ...loginOf(cell, tokenFile),
        partitions,
        records,
        firstTimestamp,
        perSecond: 0,
        idempotent: true,
        producer: 'idempotent',
        consumer: 'classic',
      }),
      async prepare(jobs) {
        const topics = jobs.map(({ topic }) => topic)
        const job = { bootstrap: kafka.bootstrap, topics, partitions, replicas: 1, shareGroups: [] }
        await runClient('java', job, { task: 'prepare' })
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Everything under the names that README's tables give it. */
async function writeFiles(folder: string, tokens: TokenIssuer) {
  const authorityOf = (name: string) => createAuthority(join(folder, name), { name, days })
  const [fronts, clients, brokers] = ['front', 'clients', 'brokers'].map(authorityOf) as [
    Authority,
    Authority,
    Authority,
  ]
  const names = ['localhost', '127.0.0.1']
  const front = fronts.server('gateway', names)
  const client = clients.client('client', `CN=${certified},O=vkitm`)
  const upstream = brokers.server('broker', names)
  const own = brokers.client('gateway', 'CN=gateway,O=vkitm')
  const { certificate, key } = brokers.client('mapped', 'CN=mapped,O=vkitm')
  const certs = join(folder, 'certs')
  mkdirSync(certs)
  const copies = { 'gateway.pem': front.certificate, 'gateway.key': front.key, 'clients-ca.pem': clients.ca }
  const backCopies = {
    'upstream-ca.pem': brokers.ca,
    'gateway-client.pem': own.certificate,
    'gateway-client.key': own.key,
  }
  for (const [name, file] of Object.entries({ ...copies, ...backCopies })) copyFileSync(file, join(certs, name))
  const write = (name: string, content: string) => writeFileSync(join(certs, name), content, { mode: 0o600 })
  const passwords = Object.fromEntries(Object.values(users).map(name => [name, passwordOf(name)]))
  write('users.json', (await usersOf(passwords)).toText())
  const mapped = { [`User:${users['SCRAM-SHA-512']}`]: { username: 'mapped', password: back.mapped } }
  write('upstream-users.json', JSON.stringify(mapped))
  write('upstream-certificates.json', JSON.stringify({ [`User:${users['SCRAM-SHA-512']}`]: { certificate, key } }))
  write('jwks.json', tokens.keySet)
  const everybody = ['ANONYMOUS', certified, 'carol', ...Object.values(users)]
  const rules = everybody.flatMap(name => [
    `p, User:${name}, topic, ${name}.*, read, allow`,
    `p, User:${name}, topic, ${name}.*, write, allow`,
    `p, User:${name}, group, ${name}.*, read, allow`,
  ])
  write('policy.csv', `${rules.join('\n')}\n`)
  return { front, client, upstream }
}

type Authority = ReturnType<typeof createAuthority>

/** RFC 6749, 4.4: gives the gateway its token for its secret, and nobody else anything. */
async function startTokenEndpoint(tokens: TokenIssuer): Promise<{ readonly url: string; readonly stop: () => void }> {
  const secret = `Basic ${Buffer.from(`gateway:${back.gateway}`).toString('base64')}`
  const server = createServer((request, response) => {
    const knows = request.headers.authorization === secret && request.method === 'POST'
    response.writeHead(knows ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(knows ? { access_token: tokens.token('gateway', hour), expires_in: hour } : {}))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/token`, stop: () => server.close() }
}

interface ConfigParts {
  readonly kafka: Kafka
  readonly folder: string
  readonly ports: ReadonlyMap<Cell, number>
  readonly endpoint: string
}

/** A cluster for each way on, and in it a listener for each way in. */
function configOf({ kafka, folder, ports, endpoint }: ConfigParts): object {
  const clusters = new Map<string, { upstream: object; listeners: object[]; name: string; policy: object }>()
  for (const [at, cell] of cells.entries()) {
    const name = `${listenerOf(cell.back)}-${cell.mode}`.toLowerCase().replaceAll('_', '-')
    if (!clusters.has(name)) {
      const upstream = { bootstrap: kafka.bootstrapOf(listenerOf(cell.back)), ...backKeys(cell) }
      const policy = { model: join(projectRoot, 'policies', 'model.conf'), rules: 'certs/policy.csv' }
      clusters.set(name, { name, upstream, listeners: [], policy })
    }
    const port = ports.get(cell)!
    clusters.get(name)!.listeners.push({
      name: `cell-${at}`,
      bind: `127.0.0.1:${port}`,
      advertise: `localhost:${port}`,
      expose: 'ports',
      brokerPorts: { first: port + 1, count: 1, firstId: kafka.brokers[0]!.id },
      ...frontKeys(cell.front),
    })
  }
  // The gateway's configuration is in a folder of its own, and our token endpoint is not the one that README names.
  const text = JSON.stringify({ clusters: [...clusters.values()] })
  return JSON.parse(text.replaceAll('"certs/', `"${folder}/certs/`).replaceAll(tokenEndpoint, endpoint))
}

/** Whom the gateway takes the client for. */
function principalOf({ front, back: { login }, mode }: Cell): string {
  if (mode === 'passthrough') return login === 'none' ? 'ANONYMOUS' : 'carol'
  if (front.login !== 'none') return users[front.login]
  return front.transport === 'mTLS' ? certified : 'ANONYMOUS'
}

/** The policy lets everybody have only what begins with their name. */
function placesOf(cell: Cell, client: ClientName): Pick<Job, 'topic' | 'group'> {
  const name = `${principalOf(cell)}.${cells.indexOf(cell)}-${client}`
  return { topic: name, group: name }
}

function loginOf(cell: Cell, tokenFile: string): Pick<Job, 'sasl'> {
  const { mode, front } = cell
  if (mode === 'passthrough') return { sasl: { mechanism: cell.back.login, username: 'carol', password: back.carol } }
  const { login } = front
  if (login === 'none') return {}
  if (login === 'OAUTHBEARER') return { sasl: { mechanism: login, tokenFile } }
  return { sasl: { mechanism: login, username: users[login], password: passwordOf(users[login]) } }
}

/** Where the broker has to see a cell's client, and as whom. */
export function seenAtBroker({ back: side, mode }: Cell): string {
  const name = { service: 'gateway', mapped: 'mapped', passthrough: 'carol' }[mode]
  const byCertificate = side.transport === 'mTLS' ? `CN=${name},O=vkitm` : 'ANONYMOUS'
  return `${listenerOf(side)} as User:${side.login === 'none' ? byCertificate : name}`
}
