/**
 * The enforcing stage alone between clients and a broker: one request at a time, nothing rewritten. Says whether the
 * rules of `src/acl/` are Kafka's without the rest of the gateway around them.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { createAcl, enforcements } from '../../../src/acl/acl.ts'
import { compilePolicy } from '../../../src/acl/policy/compile-policy.ts'
import type { Policy } from '../../../src/acl/policy/policy.ts'
import { shippedModels } from '../../../src/acl/policy/shipped-models.ts'
import { createReplicaGuard } from '../../../src/acl/replica-id.ts'
import { type Client, type Exchange, isAnswered } from '../../../src/pipeline/exchange.ts'
import { Pipeline } from '../../../src/pipeline/pipeline.ts'
import { ServedApis } from '../../../src/pipeline/served-apis.ts'
import { ApiKey } from '../../../src/protocol/api-key.ts'
import type { ResponseByKey } from '../../../src/protocol/codec.ts'
import { type NamedTopic, TopicCatalog, type TopicQuestions } from '../../../src/topology/topic-catalog.ts'
import type { Frame } from '../../../src/wire/frame.ts'
import { FrameSplitter } from '../../../src/wire/frame-splitter.ts'
import { connectRaw, type RawClient } from '../raw-client.ts'
import type { Acl } from './acl.ts'
import { aclsToRows } from './acls-to-rows.ts'
import { type Clients, clientOptions } from './cluster.ts'
import { completeBody } from './complete-body.ts'
import type { Door } from './side.ts'

export interface StageGateway {
  readonly door: Door
  enforce(acls: readonly Acl[]): void
  stop(): Promise<void>
}

export interface StageGatewayOptions {
  readonly clients: Clients
  /** Where the gateway is a super user. */
  readonly brokerPort: number
  readonly autoCreates: boolean
}

export async function startStageGateway(options: StageGatewayOptions): Promise<StageGateway> {
  const { clients, brokerPort, autoCreates } = options
  const own = await connectRaw({ port: brokerPort, clientId: 'gateway' })
  let policy = policyOf([], 1)
  const topics = new TopicCatalog({ questions: questionsOf(own), now: () => performance.now() })
  const rows = enforcements({ topics, autoCreatesTopics: () => autoCreates, refuses: () => false })
  const acl = createAcl({
    rows,
    policy: () => policy,
    isEnforcing: true,
    log: { decided: () => undefined, filtered: () => undefined },
  })
  const pipeline = new Pipeline({
    served: new ServedApis(),
    stages: [createReplicaGuard(), acl],
    metrics: { unknownTags: () => undefined },
  })
  const read = (file: string) => readFileSync(file)
  const { certificate, key } = clients.server
  const server = createServer({
    cert: read(certificate),
    key: read(key),
    ca: read(clients.authority.ca),
    requestCert: true,
    rejectUnauthorized: true,
  })
  const sockets = new Set<Socket>()
  server.on('secureConnection', client => {
    const broker = connect({ host: '127.0.0.1', port: brokerPort, noDelay: true })
    for (const socket of [client, broker]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    for (const [one, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
    relay({ client, broker, pipeline, isServed: apiKey => rows.has(apiKey) })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    door: { adminPort: brokerPort, clientOptions: name => clientOptions(clients, name, port) },
    enforce: acls => {
      policy = policyOf(acls, policy.generation + 1)
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await own.close()
    },
  }
}

function policyOf(acls: readonly Acl[], generation: number): Policy {
  return compilePolicy({
    model: { path: 'model.conf', text: shippedModels.plain },
    rules: [{ path: 'policy.csv', text: aclsToRows(acls) }],
    superUsers: [],
    generation,
    onError: error => {
      throw error
    },
  })
}

function questionsOf(own: RawClient): TopicQuestions {
  const ask = async (topics: { name: string | null; topicId?: string }[] | null): Promise<NamedTopic[]> => {
    const body = completeBody(ApiKey.Metadata, 12, { topics, allowAutoTopicCreation: false })
    const answer = await own.ask(ApiKey.Metadata, 12, body)
    return answer.topics
      .filter(({ errorCode, name }) => errorCode === 0 && name !== null)
      .map(({ name, topicId }) => ({ name: name!, topicId }))
  }
  return {
    byId: ids => ask(ids.map(topicId => ({ name: null, topicId }))),
    byName: names => ask(names.map(name => ({ name }))),
    all: () => ask(null),
  }
}

interface Relay {
  readonly client: TLSSocket
  readonly broker: Socket
  readonly pipeline: Pipeline
  readonly isServed: (apiKey: number) => boolean
}

function relay({ client, broker, pipeline, isServed }: Relay): void {
  const who: Client = Object.freeze({
    connection: 1,
    listener: 'clients',
    address: '127.0.0.1:1',
    ip: '127.0.0.1',
    principal: `User:${client.getPeerCertificate().subject.CN}`,
    nodeId: undefined,
  })
  const requests = framesOf(client)
  const answers = framesOf(broker)
  const serve = async (): Promise<void> => {
    for (;;) {
      const request = await requests.next()
      const opened = pipeline.open(request, who)
      if (!('exchange' in opened)) return
      const { exchange } = opened
      const outcome = await pipeline.judgeRequest(exchange)
      if (outcome.kind === 'close') return
      if (outcome.kind === 'respond') exchange.response = outcome.response
      else {
        for (const chunk of outcome.changed ? pipeline.encodeRequest(exchange).chunks : request.chunks)
          broker.write(chunk)
        if (!isAnswered(exchange)) {
          if (outcome.isLast === true) return
          continue
        }
        await pipeline.judgeResponse(exchange, await answers.next())
      }
      if (exchange.api.key === ApiKey.ApiVersions) offerOnly(exchange, isServed)
      for (const chunk of pipeline.encodeResponse(exchange).chunks) client.write(chunk)
      if (outcome.kind === 'forward' && outcome.isLast === true) return
    }
  }
  serve()
    .catch(error => console.log('the stage failed:', error))
    .finally(() => client.destroySoon())
}

function offerOnly(exchange: Exchange, isServed: (apiKey: number) => boolean): void {
  const response = exchange.response as ResponseByKey[typeof ApiKey.ApiVersions]
  response.apiKeys = response.apiKeys.filter(({ apiKey }) => isServed(apiKey))
}

/** Frames as they come; waits for ever where none does: the connection's end ends the wait of whoever looks at it. */
function framesOf(socket: Socket): { next(): Promise<Frame> } {
  const splitter = new FrameSplitter({ payloadBytesMin: 4, payloadBytesMax: 2 ** 31 - 1 })
  const ready: Frame[] = []
  let wake: (frame: Frame) => void = frame => ready.push(frame)
  socket.on('data', chunk => {
    splitter.push(chunk as Buffer)
    for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) wake(frame)
  })
  return {
    next() {
      const first = ready.shift()
      if (first !== undefined) return Promise.resolve(first)
      return new Promise(resolve => {
        wake = frame => {
          wake = other => ready.push(other)
          resolve(frame)
        }
      })
    },
  }
}
