/**
 * The demo, step by step. A step shows what it did and checks that it really held; one that throws ends the story.
 * Whoever adds a step puts a function into `steps`.
 */
import { X509Certificate } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import { loadConfig } from '../../config/load-config.ts'
import { startGateway } from '../../gateway/gateway.ts'
import { createRoot, issueClient } from '../../tls/certificate-authority.ts'
import { type BrokerAddress, DemoClient } from './demo-client.ts'
import { changeTheRule, refuseBob, showTheRule } from './denied-user.ts'
import { startEmbeddedUpstream } from './embedded-upstream.ts'
import { findPorts } from './free-ports.ts'
import { startKafkaUpstream } from './kafka-upstream.ts'
import { describeRecord, partitions, topic } from './orders.ts'
import { deny, users } from './policy.ts'
import { reasonForDistrust, speakPlaintext, speakTls } from './refused-connections.ts'
import { clientOf, countOf, newClient, portsOf, type Scene, upstreamOf } from './scene.ts'
import { gatewayHost } from './workspace.ts'

type Step = (scene: Scene) => Promise<void>

const steps: readonly Step[] = [
  startBrokers,
  makeCertificates,
  writePolicy,
  putGatewayInFront,
  produceOverTls,
  consumeOverTls,
  compareViews,
  refuseBob,
  showTheRule,
  changeTheRule,
  refuseStrangers,
]

export async function tell(scene: Scene): Promise<void> {
  for (const step of steps) await step(scene)
}

/** Ends what the story began and what is still up; safe at any point of it. */
export async function endStory({ clients, gateway, upstream }: Scene): Promise<void> {
  for (const client of clients.values()) client.close()
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
  const own = users.map(user => new X509Certificate(workspace.identityOf(user).certificate))
  screen.check(
    `one each for ${users.join(' and ')}, to show to the gateway`,
    own.every(each => each.checkIssued(authority)),
  )
}

async function writePolicy({ screen, workspace }: Scene): Promise<void> {
  screen.step('A policy')
  screen.say(workspace.path('policy.csv'))
  screen.quote(await workspace.writePolicy(deny.everything))
}

async function putGatewayInFront(scene: Scene): Promise<void> {
  const { screen, workspace, log, audit } = scene
  screen.step('vkitm in front of it')
  scene.ports = await findPorts()
  screen.say(workspace.path('vkitm.yaml'))
  screen.quote(await workspace.writeConfig(upstreamOf(scene).bootstrap, scene.ports))
  await workspace.writeClients(`${gatewayHost}:${scene.ports.bootstrap}`)
  const config = await loadConfig(workspace.path('vkitm.yaml'))
  scene.gateway = await startGateway(config, { log, audit })
  const [listener] = scene.gateway.addresses
  screen.check(`listens at ${listener?.bootstrap}, brokers at ports ${listener?.brokerPorts}`, listener !== undefined)
}

async function produceOverTls(scene: Scene): Promise<void> {
  const { screen, orders } = scene
  screen.step('alice produces over TLS')
  const client = clientOf(scene, 'alice')
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
  screen.step('alice consumes over TLS')
  const client = newClient(scene, 'alice')
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
  screen.step('What alice saw, and what the brokers saw')
  const client = clientOf(scene, 'alice')
  await client.askForAddresses('demo-group')
  const real = await realBrokers(scene)
  const told = client.addressesTold
  const addressOf = (all: readonly BrokerAddress[], id: number): string => {
    const found = all.find(({ nodeId }) => nodeId === id)
    return found === undefined ? 'nothing' : `${found.host}:${found.port}`
  }
  const rows = real.map(({ nodeId }) => [`broker ${nodeId}`, addressOf(told, nodeId), addressOf(real, nodeId)])
  screen.table([['', 'alice was told', 'the broker really is at'], ...rows])
  const isHidden = told.length > 0 && told.every(address => isGateways(address, scene))
  screen.check(`all ${told.length} addresses she was told are the gateway's`, isHidden)
  const leaks = real.filter(({ host, port }) => client.received.includes(`${host}:${port}`))
  screen.check(`no broker is named in the ${client.received.length} bytes she received`, leaks.length === 0)
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
  const { screen, workspace } = scene
  screen.step('Who does not get in at all')
  const { bootstrap } = portsOf(scene)
  const fate = await speakPlaintext(gatewayHost, bootstrap)
  screen.check('plaintext on the TLS port: closed without an answer', fate.isClosed && fate.answer.length === 0)
  const reason = await reasonForDistrust(gatewayHost, bootstrap)
  screen.check(
    `a client that does not know the authority does not go on: ${reason ?? 'but it did'}`,
    reason !== undefined,
  )
  const gateway = { host: gatewayHost, port: bootstrap, ca: workspace.authority }
  const nobody = await speakTls(gateway)
  screen.check(
    'a client without a certificate: closed without an answer',
    nobody.isClosed && nobody.answer.length === 0,
  )
  const foreign = createRoot({ subject: 'CN=vkitm demo authority', now: new Date() })
  const forged = issueClient(foreign, { subject: 'CN=alice', now: new Date() })
  const forger = await speakTls({ ...gateway, identity: { certificate: forged.certificate, key: forged.key } })
  screen.check(
    "an alice of somebody else's authority: closed without an answer",
    forger.isClosed && forger.answer.length === 0,
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

function describeHandshake(socket: unknown): string {
  if (!(socket instanceof TLSSocket)) return 'no TLS'
  const { subject, issuer } = socket.getPeerCertificate()
  return `${socket.getProtocol()}, ${socket.getCipher().standardName}: ${subject.CN} by ${issuer.CN}`
}
