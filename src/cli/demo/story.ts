/**
 * The demo, step by step. A step shows what it did and checks that it really held; one that throws ends the story.
 * Whoever adds a step (a second user who is denied, a rotation) puts a function into `steps`.
 */
import { X509Certificate } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import { loadConfig } from '../../config/load-config.ts'
import { type Gateway, startGateway } from '../../gateway/gateway.ts'
import type { Log, LogDestination } from '../../telemetry/log.ts'
import { type BrokerAddress, DemoClient } from './demo-client.ts'
import { startEmbeddedUpstream } from './embedded-upstream.ts'
import { type DemoPorts, findPorts } from './free-ports.ts'
import { startKafkaUpstream } from './kafka-upstream.ts'
import { describeRecord, type makeOrders, partitions, topic } from './orders.ts'
import { reasonForDistrust, speakPlaintext } from './refused-connections.ts'
import type { Screen } from './screen.ts'
import type { DemoUpstream } from './upstream.ts'
import { gatewayHost, type Workspace } from './workspace.ts'

/** What the steps share; filled in as the story goes on. */
export interface Scene {
  readonly screen: Screen
  readonly workspace: Workspace
  readonly log: Log
  /** Where the log goes, and what policies decide. */
  readonly output: LogDestination
  readonly isKafka: boolean
  readonly orders: ReturnType<typeof makeOrders>
  ports?: DemoPorts
  upstream?: DemoUpstream
  gateway?: Gateway | undefined
  client?: DemoClient
  /** Somebody else minds the signals now. */
  isServed?: boolean
}

type Step = (scene: Scene) => Promise<void>

const steps: readonly Step[] = [
  startBrokers,
  makeCertificates,
  putGatewayInFront,
  produceOverTls,
  consumeOverTls,
  compareViews,
  refuseStrangers,
]

export async function tell(scene: Scene): Promise<void> {
  for (const step of steps) await step(scene)
}

/** Ends what the story began and what is still up; safe at any point of it. */
export async function endStory({ client, gateway, upstream }: Scene): Promise<void> {
  client?.close()
  await gateway?.stop()
  await upstream?.stop()
}

async function startBrokers(scene: Scene): Promise<void> {
  const { screen, workspace, isKafka } = scene
  screen.step('A Kafka cluster')
  scene.upstream = isKafka
    ? await startKafkaUpstream(workspace.path('kafka'), text => screen.say(text))
    : await startEmbeddedUpstream()
  const { about, bootstrap } = scene.upstream
  screen.check(`${about}: ${bootstrap.join(', ')}`, bootstrap.length > 0)
}

async function makeCertificates({ screen, workspace }: Scene): Promise<void> {
  screen.step('Certificates')
  const issued = await workspace.issueCertificates()
  const certificate = new X509Certificate(issued.certificate)
  const authority = new X509Certificate(workspace.authority)
  const isIssued = certificate.checkIssued(authority) && certificate.checkHost(gatewayHost) !== undefined
  screen.check(`an authority of our own, ${workspace.path('certs', 'ca.pem')}`, authority.ca)
  screen.check(`a certificate for ${gatewayHost}, issued by it, valid until ${certificate.validTo}`, isIssued)
}

async function putGatewayInFront(scene: Scene): Promise<void> {
  const { screen, workspace, log } = scene
  screen.step('vkitm in front of it')
  scene.ports = await findPorts()
  screen.say(workspace.path('vkitm.yaml'))
  screen.quote(await workspace.writeConfig(upstreamOf(scene).bootstrap, scene.ports))
  await workspace.writeClientProperties()
  scene.gateway = await startGateway(await loadConfig(workspace.path('vkitm.yaml')), {
    log,
    audit: scene.output,
  })
  const [listener] = scene.gateway.addresses
  screen.check(`listens at ${listener?.bootstrap}, brokers at ports ${listener?.brokerPorts}`, listener !== undefined)
}

async function produceOverTls(scene: Scene): Promise<void> {
  const { screen, orders } = scene
  screen.step('A client produces over TLS')
  const client = newClient(scene)
  scene.client = client
  const { socket } = await client.first()
  screen.check(describeHandshake(socket), socket instanceof TLSSocket && socket.authorized)
  await client.createTopic(topic, partitions)
  const acknowledged = await client.produce(topic, orders)
  screen.check(
    `${acknowledged} records produced to ${topic}, each acknowledged by its broker`,
    acknowledged === countOf(orders),
  )
}

async function consumeOverTls(scene: Scene): Promise<void> {
  const { screen, orders } = scene
  screen.step('Another client consumes over TLS')
  const client = newClient(scene)
  try {
    const read = await client.consume(topic, countOf(orders))
    const rows = [...read].flatMap(([partition, records]) =>
      records.map(({ offset, key, value }) => [`${topic}-${partition}`, `${offset}`, `${key}`, `${value}`]),
    )
    screen.table([['partition', 'offset', 'key', 'value'], ...rows])
    const isSame = [...orders].every(([partition, sent]) => {
      const received = read.get(partition)?.map(describeRecord) ?? []
      return JSON.stringify(received) === JSON.stringify(sent.map(describeRecord))
    })
    screen.check('every record came back: same partition, same order, same key, value, time and headers', isSame)
  } finally {
    client.close()
  }
}

async function compareViews(scene: Scene): Promise<void> {
  const { screen } = scene
  screen.step('What the client saw, and what the brokers saw')
  const client = clientOf(scene)
  await client.askForAddresses('demo-group')
  const real = await realBrokers(scene)
  const told = client.addressesTold
  const addressOf = (all: readonly BrokerAddress[], id: number): string => {
    const found = all.find(({ nodeId }) => nodeId === id)
    return found === undefined ? 'nothing' : `${found.host}:${found.port}`
  }
  const rows = real.map(({ nodeId }) => [`broker ${nodeId}`, addressOf(told, nodeId), addressOf(real, nodeId)])
  screen.table([['', 'the client was told', 'the broker really is at'], ...rows])
  const isHidden = told.length > 0 && told.every(address => isGateways(address, scene))
  screen.check(`all ${told.length} addresses the client was told are the gateway's`, isHidden)
  const leaks = real.filter(({ host, port }) => client.received.includes(`${host}:${port}`))
  screen.check(`no broker is named in the ${client.received.length} bytes the client received`, leaks.length === 0)
  await showPlaintext(scene)
}

/** Between the gateway and these brokers nothing is encrypted; that is what the gateway is for. */
async function showPlaintext(scene: Scene): Promise<void> {
  const { screen, orders } = scene
  const found = await upstreamOf(scene).excerptWith(String(orders.get(0)![0]!.value))
  screen.check('to the brokers it is the plaintext protocol they always spoke:', found !== undefined)
  if (found !== undefined) screen.quote(found.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '·'))
}

async function refuseStrangers(scene: Scene): Promise<void> {
  const { screen } = scene
  screen.step('What does not get in')
  const { bootstrap } = portsOf(scene)
  const fate = await speakPlaintext(gatewayHost, bootstrap)
  screen.check('plaintext on the TLS port: closed without an answer', fate.isClosed && !fate.gotKafka)
  const reason = await reasonForDistrust(gatewayHost, bootstrap)
  screen.check(
    `a client that does not know the authority does not go on: ${reason ?? 'but it did'}`,
    reason !== undefined,
  )
}

async function realBrokers(scene: Scene): Promise<readonly BrokerAddress[]> {
  const [host, port] = upstreamOf(scene).bootstrap[0]!.split(':') as [string, string]
  const direct = new DemoClient({ host, port: Number(port) })
  try {
    return (await direct.brokers()).toSorted((one, other) => one.nodeId - other.nodeId)
  } finally {
    direct.close()
  }
}

function isGateways({ host, port, nodeId }: BrokerAddress, scene: Scene): boolean {
  return host === gatewayHost && port === portsOf(scene).firstBroker + nodeId
}

function newClient(scene: Scene): DemoClient {
  return new DemoClient({ host: gatewayHost, port: portsOf(scene).bootstrap, ca: scene.workspace.authority })
}

function describeHandshake(socket: unknown): string {
  if (!(socket instanceof TLSSocket)) return 'no TLS'
  const { subject, issuer } = socket.getPeerCertificate()
  return `${socket.getProtocol()}, ${socket.getCipher().standardName}: ${subject.CN} by ${issuer.CN}`
}

function countOf(orders: Scene['orders']): number {
  return [...orders.values()].reduce((sum, { length }) => sum + length, 0)
}

const upstreamOf = ({ upstream }: Scene): DemoUpstream => told(upstream)
const clientOf = ({ client }: Scene): DemoClient => told(client)
const portsOf = ({ ports }: Scene): DemoPorts => told(ports)

function told<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a step of the demo came before the one it needs')
  return value
}
