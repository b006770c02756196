/**
 * One broker, a gateway with a policy in front of it, the tap in front of the gateway. Clients show certificates, and
 * their common names are the principals. What a test does itself it does at the broker, past the gateway.
 * With VKITM_TEST_DIRECT=1 clients talk to the broker, which has the rules as ACLs: is it the gateway, or Kafka?
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs, { type Admin, type Producer } from 'kafkajs'
import { AnswerWatch } from './answer-watch.ts'
import { type Authority, type Certificate, createAuthority } from './certificates.ts'
import { projectRoot } from './client-builds.ts'
import { isDirect } from './client-lab.ts'
import { freePortRange } from './free-ports.ts'
import { type GatewayProcess, startGateway } from './gateway.ts'
import { type Kafka, startKafka } from './kafka.ts'
import { setAcls } from './rules-as-acls.ts'
import { startTap, type Tap } from './tap.ts'

const clientHost = 'localhost'
const [backListener, clientListener] = ['BACKSTAGE', 'CLIENTS']
const principalRule = 'RULE:^CN=([^,]+).*$/$1/'
/** Long enough that the gateway does not warn of its end. */
const certificateDays = 60

/** How a client connects, in the words of test/system/clients/README.md. */
export interface Identity {
  readonly certificate: string
  readonly key: string
}

export interface PolicyLab {
  readonly kafka: Kafka
  /** Undefined where clients talk to the broker. */
  readonly front: Front | undefined
  readonly connection: { readonly bootstrap: readonly string[]; readonly ca: string }
  /** At the broker. */
  readonly admin: Admin
  readonly producer: Producer
  identity(name: string): Identity
  /** Writes the rules and leaves it to the gateway to find them. */
  writeRules(rules: string): Promise<void>
  /** Writes the rules and resolves when they are in force. */
  setRules(rules: string): Promise<void>
  createTopics(...topics: string[]): Promise<void>
  /** Records that a topic holds. */
  stored(topic: string): Promise<number>
  close(): Promise<void>
}

export interface Front {
  readonly gateway: GatewayProcess
  readonly tap: Tap
  readonly watch: AnswerWatch
  readonly bootstrap: readonly string[]
  readonly rulesFile: string
}

export async function openPolicyLab(rules: string): Promise<PolicyLab> {
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-policy-lab-'))
  const closers: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const identities = identitiesOf(createAuthority(join(folder, 'certificates'), { days: certificateDays }))
    const kafka = await startBroker(identities.server)
    closers.push(() => kafka.stop())
    const front = isDirect ? undefined : await startFront({ folder, kafka, rules, identities, closers })
    const client = new kafkajs.Kafka({ brokers: [...kafka.bootstrap], logLevel: kafkajs.logLevel.ERROR })
    const [admin, producer] = [client.admin(), client.producer()]
    closers.push(() => Promise.all([admin.disconnect(), producer.disconnect()]))
    await Promise.all([admin.connect(), producer.connect()])
    const lab = labOf({ kafka, front, admin, producer, identities, close })
    if (isDirect) await lab.setRules(rules)
    return lab
  } catch (error) {
    await close()
    throw error
  }
}

function startBroker(server: Certificate): Promise<Kafka> {
  const back = { name: backListener, protocol: 'PLAINTEXT' } as const
  if (!isDirect) return startKafka({ listeners: [back] })
  return startKafka({
    listeners: [back, { name: clientListener, protocol: 'SSL' }],
    tls: { ...server, clientAuth: 'required' },
    properties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      // Who comes without a certificate: the test and the broker itself.
      'super.users': 'User:ANONYMOUS',
      'ssl.principal.mapping.rules': `${principalRule},DEFAULT`,
    },
  })
}

interface Identities {
  readonly ca: string
  readonly server: Certificate
  /** The certificate with this common name. */
  client(name: string): Certificate
}

function identitiesOf(authority: Authority): Identities {
  const issued = new Map<string, Certificate>()
  return {
    ca: authority.ca,
    server: authority.server('front', [clientHost, '127.0.0.1']),
    client(name) {
      const certificate = issued.get(name) ?? authority.client(name, `CN=${name}`)
      issued.set(name, certificate)
      return certificate
    },
  }
}

interface FrontOptions {
  readonly folder: string
  readonly kafka: Kafka
  readonly rules: string
  readonly identities: Identities
  readonly closers: (() => Promise<unknown>)[]
}

async function startFront({ folder, kafka, rules, identities, closers }: FrontOptions): Promise<Front> {
  const { server, ca } = identities
  const [behind, port] = [await freePortRange(2), await freePortRange(2)]
  const rulesFile = join(folder, 'policy.csv')
  writeFileSync(rulesFile, rules)
  copyFileSync(join(projectRoot, 'policies', 'model.conf'), join(folder, 'model.conf'))
  const config = gatewayConfig({ folder, kafka, server, behind, port })
  const gateway = await startGateway({ config, env: { TMPDIR: folder } })
  closers.push(() => gateway.stop())
  const [broker] = kafka.brokers
  const watch = new AnswerWatch({ texts: [backListener], ports: [broker!.port, broker!.controllerPort] })
  const ports = [0, 1].map(at => ({ listen: port + at, connect: behind + at }))
  const clients = { ca, certificateOf: identities.client }
  const tap = await startTap({ certificate: server, ports, watch, clients })
  closers.push(() => tap.close())
  return { gateway, tap, watch, bootstrap: [`${clientHost}:${port}`], rulesFile }
}

interface ConfigOptions {
  readonly folder: string
  readonly kafka: Kafka
  readonly server: Certificate
  readonly behind: number
  readonly port: number
}

function gatewayConfig({ folder, kafka, server, behind, port }: ConfigOptions): object {
  const range = (first: number) => ({ first, count: 1, firstId: kafka.brokers[0]!.id })
  return {
    clusters: [
      {
        name: 'main',
        upstream: { bootstrap: kafka.bootstrap },
        listeners: [
          {
            name: 'clients',
            bind: `127.0.0.1:${behind}`,
            advertise: `${clientHost}:${port}`,
            expose: 'ports',
            brokerPorts: range(behind + 1),
            advertiseBrokerPorts: range(port + 1),
            tls: {
              certificate: server.certificate,
              key: server.key,
              clientCa: server.ca,
              clientAuth: 'require',
            },
            principal: { rules: [principalRule] },
          },
        ],
        policy: { model: join(folder, 'model.conf'), rules: join(folder, 'policy.csv') },
      },
    ],
  }
}

interface LabParts extends Pick<PolicyLab, 'kafka' | 'front' | 'admin' | 'producer' | 'close'> {
  readonly identities: Identities
}

function labOf({ identities, ...parts }: LabParts): PolicyLab {
  const { kafka, front, admin } = parts
  const bootstrap = front === undefined ? kafka.bootstrapOf(clientListener) : front.bootstrap
  let before = ''
  const writeRules = async (rules: string) => {
    if (front === undefined) await setAcls(admin, rules, before)
    else writeFileSync(front.rulesFile, rules)
    before = rules
  }
  return {
    ...parts,
    connection: { bootstrap, ca: identities.ca },
    writeRules,
    identity: name => {
      const { certificate, key } = identities.client(name)
      return { certificate, key }
    },
    async setRules(rules) {
      await writeRules(rules)
      if (front === undefined) return
      const answer = await fetch(`http://${front.gateway.admin}/reload`, { method: 'POST' })
      if (!answer.ok) throw new Error(`the rules are not in force: ${answer.status} ${await answer.text()}`)
    },
    async createTopics(...topics) {
      const single = { numPartitions: 1, replicationFactor: 1 }
      await admin.createTopics({ topics: topics.map(topic => ({ topic, ...single })) })
    },
    async stored(topic) {
      const offsets = await admin.fetchTopicOffsets(topic)
      return offsets.reduce((sum, { high }) => sum + Number(high), 0)
    },
  }
}
