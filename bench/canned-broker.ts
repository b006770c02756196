// A broker without a JVM behind it: it answers Produce and Fetch with bytes made once, so that a run takes seconds and
// its noise is the proxy's own. The rows use real Kafka; this one is for finding where time goes.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { ApiKey } from '../src/protocol/api-key.ts'
import { allApis } from '../src/protocol/api-table.ts'
import { encodeResponse } from '../src/protocol/codec.ts'
import { apiVersionsResponseDefaults } from '../src/protocol/generated/api-versions-response.ts'
import { describeConfigsResponseDefaults } from '../src/protocol/generated/describe-configs-response.ts'
import {
  fetchableTopicResponseDefaults,
  fetchResponseDefaults,
  fetchResponsePartitionDataDefaults,
} from '../src/protocol/generated/fetch-response.ts'
import { metadataResponseDefaults } from '../src/protocol/generated/metadata-response.ts'
import {
  partitionProduceResponseDefaults,
  produceResponseDefaults,
  topicProduceResponseDefaults,
} from '../src/protocol/generated/produce-response.ts'
import { Span } from '../src/wire/span.ts'

const headBytes = 12

export interface CannedBroker {
  readonly port: number
  stop(): Promise<void>
}

export async function startCannedBroker(topic: string, fetchBytes: number): Promise<CannedBroker> {
  const answers = new Map<string, Buffer>()
  const server = createServer({ noDelay: true }, socket => serve(socket, (key, version) => answer(key, version)))
  await new Promise<void>(resolve => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  const { port } = server.address() as AddressInfo
  const bodies = bodiesOf({ topic, fetchBytes, port })
  function answer(key: number, version: number): Buffer {
    const known = answers.get(`${key} ${version}`)
    if (known !== undefined) return known
    const body = bodies[key]
    if (body === undefined) throw new Error(`the canned broker has no answer to API ${key}`)
    const made = Buffer.concat(encodeResponse(key as ApiKey, version, 0, body as never))
    answers.set(`${key} ${version}`, made)
    return made
  }
  return { port, stop: () => stopped(server) }
}

interface Canned {
  readonly topic: string
  readonly fetchBytes: number
  readonly port: number
}

function bodiesOf({ topic, fetchBytes, port }: Canned): Record<number, object> {
  const records = Span.of(Buffer.alloc(fetchBytes, 'v'))
  const partition = { ...fetchResponsePartitionDataDefaults(), records }
  return {
    [ApiKey.ApiVersions]: {
      ...apiVersionsResponseDefaults(),
      apiKeys: allApis.map(({ key, minVersion, maxVersion }) => ({ apiKey: key, minVersion, maxVersion })),
    },
    [ApiKey.Metadata]: {
      ...metadataResponseDefaults(),
      clusterId: 'canned',
      controllerId: 1,
      brokers: [{ nodeId: 1, host: '127.0.0.1', port, rack: null }],
    },
    [ApiKey.DescribeConfigs]: describeConfigsResponseDefaults(),
    [ApiKey.Produce]: {
      ...produceResponseDefaults(),
      responses: [
        {
          ...topicProduceResponseDefaults(),
          name: topic,
          partitionResponses: [{ ...partitionProduceResponseDefaults(), index: 0 }],
        },
      ],
    },
    [ApiKey.Fetch]: {
      ...fetchResponseDefaults(),
      responses: [{ ...fetchableTopicResponseDefaults(), topic, partitions: [partition] }],
    },
  }
}

/** Looks at the first bytes of every frame and lets the rest go by. */
function serve(socket: Socket, answer: (key: number, version: number) => Buffer): void {
  let head = Buffer.alloc(0)
  let left = 0
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk
    while (rest.length > 0) {
      if (left === 0) {
        const wanted = headBytes - head.length
        head = Buffer.concat([head, rest.subarray(0, wanted)])
        rest = rest.subarray(wanted)
        if (head.length < headBytes) return
        left = head.readInt32BE(0) - (headBytes - 4)
      }
      const passed = Math.min(left, rest.length)
      left -= passed
      rest = rest.subarray(passed)
      if (left > 0) return
      reply(socket, answer(head.readInt16BE(4), head.readInt16BE(6)), head)
      head = Buffer.alloc(0)
    }
  })
}

function reply(socket: Socket, bytes: Buffer, head: Buffer): void {
  const start = Buffer.from(bytes.subarray(0, 8))
  head.copy(start, 4, 8, 12)
  socket.cork()
  socket.write(start)
  socket.write(bytes.subarray(8))
  socket.uncork()
}

async function stopped(server: Server): Promise<void> {
  server.close()
}
