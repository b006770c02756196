import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, createServer, type Server } from 'node:tls'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { decodeRequest, encodeRequest, encodeResponse } from '../../src/protocol/codec.ts'
import { type Certificate, createAuthority } from './certificates.ts'
import { freePorts } from './free-ports.ts'
import { LeakWatch } from './leak-watch.ts'
import { startTap } from './tap.ts'

const secrets = { texts: ['kafka-node.upstream.test'], ports: [29_092] }
const header = { apiVersion: 0, correlationId: 7, clientId: 'a client' }

describe('the tap', () => {
  let folder: string
  let certificate: Certificate

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'vkitm-tap-'))
    certificate = createAuthority(folder).server('front', ['localhost'])
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** A client asks for Metadata through the tap, and what stands behind it answers with `broker`, in small pieces. */
  async function ask(broker: { host: string; port: number }, changes: (answer: Buffer) => Buffer = answer => answer) {
    const answer = changes(Buffer.concat(metadata(broker)))
    const [listen, port] = await freePorts(2)
    const behind = await answering({ certificate, port: port!, answer })
    const watch = new LeakWatch(secrets)
    const tap = await startTap({ certificate, ports: [{ listen: listen!, connect: port! }], watch })
    const client = connect({
      host: '127.0.0.1',
      port: listen!,
      servername: 'localhost',
      ca: readFileSync(certificate.ca),
    })
    try {
      client.write(Buffer.concat(encodeRequest(ApiKey.Metadata, header, { ...anyTopic, topics: [] })))
      const received = await receive(client, answer.length)
      return { received, answer, watch, failures: tap.failures }
    } finally {
      client.destroy()
      await tap.close()
      behind.close()
    }
  }

  const anyTopic = {
    allowAutoTopicCreation: true,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }

  it('hands on every byte and has nothing to say about an answer without secrets', async () => {
    const { received, answer, watch, failures } = await ask({ host: 'localhost', port: 9093 })
    assert.deepEqual(received, answer)
    assert.deepEqual(failures, [])
    assert.deepEqual(watch.leaks, [])
    assert.deepEqual([...watch.seen], [['Metadata', 1]])
  })

  it('sees the name of a broker', async () => {
    const { watch } = await ask({ host: 'kafka-node.upstream.test', port: 9093 })
    assert.match(watch.leaks.join(), /Metadata v0: .*kafka-node\.upstream\.test/)
  })

  it('sees the port of a broker in a field', async () => {
    const { watch } = await ask({ host: 'localhost', port: 29_092 })
    assert.deepEqual(watch.leaks, ['Metadata.brokers.port v0 is 29092'])
  })

  it('sees an address inside another text', async () => {
    const { watch } = await ask({ host: 'not reachable: localhost:29092, sorry', port: 9093 })
    assert.match(watch.leaks.join(), /localhost:29092/)
  })

  it('says so when it cannot read an answer, and still looks at its bytes', async () => {
    const { watch, failures } = await ask({ host: 'kafka-node.upstream.test', port: 9093 }, answer => {
      const longer = Buffer.concat([answer, Buffer.from('rest')])
      longer.writeInt32BE(longer.length - 4)
      return longer
    })
    assert.match(failures.join(), /API 3 v0/)
    assert.match(watch.leaks.join(), /kafka-node/)
  })

  it('looks at half an answer, too', async () => {
    const { watch } = await ask({ host: 'kafka-node.upstream.test', port: 9093 }, answer => answer.subarray(0, -4))
    assert.match(watch.leaks.join(), /end of a connection: .*kafka-node/)
  })
})

function metadata({ host, port }: { host: string; port: number }): Buffer[] {
  return encodeResponse(ApiKey.Metadata, 0, header.correlationId, {
    throttleTimeMs: 0,
    brokers: [{ nodeId: 1, host, port, rack: null }],
    clusterId: null,
    controllerId: -1,
    topics: [],
    clusterAuthorizedOperations: -2_147_483_648,
    errorCode: 0,
  })
}

async function answering(options: { certificate: Certificate; port: number; answer: Buffer }): Promise<Server> {
  const { certificate, port, answer } = options
  const files = { cert: readFileSync(certificate.certificate), key: readFileSync(certificate.key) }
  const server = createServer(files, async socket => {
    socket.on('error', () => {})
    const [request] = (await once(socket, 'data')) as [Buffer]
    assert.equal(decodeRequest(ApiKey.Metadata, request.subarray(4)).header.correlationId, header.correlationId)
    for (let at = 0; at < answer.length; at += 5) {
      socket.write(answer.subarray(at, at + 5))
      await sleep(1)
    }
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function receive(socket: Readable, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer)
    if (Buffer.concat(chunks).length >= bytes) break
  }
  return Buffer.concat(chunks)
}
