/** Every answer of every API and version, with the brokers' addresses in every field that could hold one. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { UnsupportedVersionError } from '../../src/errors.ts'
import { type Client, Exchange } from '../../src/pipeline/exchange.ts'
import { Pipeline } from '../../src/pipeline/pipeline.ts'
import { ServedApis } from '../../src/pipeline/served-apis.ts'
import { ApiKey } from '../../src/protocol/api-key.ts'
import { allApis } from '../../src/protocol/api-table.ts'
import { encodeResponse } from '../../src/protocol/codec.ts'
import { sensitiveFields } from '../../src/protocol/sensitive-fields.ts'
import { createHiddenText } from '../../src/rewrite/hidden-text.ts'
import { createRewrite } from '../../src/rewrite/rewrite.ts'
import { portsAddressBook } from '../../src/topology/address-book.ts'
import { kebabCase } from '../../tools/generator/model.ts'
import { fromJson } from '../../tools/golden/json.ts'
import { loadMessages, type MessageCode } from '../../tools/golden/message-code.ts'

type Value = Record<string, unknown>

const secretHost = 'Broker-1.upstream-Secret.internal'
const secretPort = 61_999
const listeners = `PLAINTEXT://${secretHost}:${secretPort}`
const knownNode = 1
const unknownNode = 4_242

const folder = join(import.meta.dirname, '..', '..', '..', 'test', 'golden')
const codes = new Map((await loadMessages()).map(code => [code.name, code]))
const served = new ServedApis()
const client: Client = Object.freeze({
  connection: 1,
  listener: 'l',
  address: 'a:1',
  ip: 'a',
  principal: 'User:a',
  nodeId: undefined,
})
const rewrite = createRewrite({
  book: portsAddressBook('gateway.example', { first: 9100, count: 10, firstId: 0 }),
  served,
  hidden: createHiddenText(() => [secretHost.toLowerCase()]),
  clusterId: () => 'c',
  brokersSeen: () => undefined,
})
const pipeline = new Pipeline({ served, stages: [rewrite], metrics: { unknownTags: () => undefined } })

/** The first golden value of a version fills every field it has. */
function fullest(code: MessageCode, version: number): Value {
  const entries = JSON.parse(readFileSync(join(folder, `${kebabCase(code.name)}.json`), 'utf8')) as {
    version: number
    value: Value
  }[]
  const entry = entries.find(each => each.version === version)
  assert.ok(entry !== undefined, `${code.name} v${version} has no golden value`)
  return fromJson(code.root, entry.value, struct => code.defaults(struct))
}

/** Writes into every place that a path names, arrays included; returns how to undo it. */
function put(value: unknown, [name = '', ...rest]: readonly string[], content: unknown): () => void {
  if (Array.isArray(value)) {
    const undos = value.map(element => put(element, [name, ...rest], content))
    return () => {
      for (const undo of undos) undo()
    }
  }
  if (value === null || typeof value !== 'object') return () => undefined
  const struct = value as Value
  if (rest.length > 0) return put(struct[name], rest, content)
  const before = struct[name]
  struct[name] = Array.isArray(before) ? before.map(() => content) : content
  return () => {
    struct[name] = before
  }
}

function contentFor(path: string, kind: string, nodeId: number): unknown {
  if (kind === 'brokerAddress') return path.endsWith('.port') ? secretPort : secretHost
  if (kind === 'freeText') return `cannot reach ${secretHost} (${listeners}), nor ${secretHost}:${secretPort}`
  if (kind === 'nodeId') return nodeId
  return undefined
}

/** Fills what the version carries, and says which paths these were. */
function fill(code: MessageCode, version: number, value: Value, nodeId: number): string[] {
  const filled: string[] = []
  for (const { path, kind } of sensitiveFields) {
    const [message = '', ...names] = path.split('.')
    const content = contentFor(path, kind, nodeId)
    if (message !== code.name || content === undefined) continue
    const undo = put(value, names, content)
    try {
      code.encode(value, version)
      filled.push(path)
    } catch (error) {
      if (!(error instanceof UnsupportedVersionError)) throw error
      undo()
    }
  }
  return filled
}

async function sentToClient(key: ApiKey, version: number, value: Value): Promise<{ bytes: Buffer; body: Value }> {
  const api = allApis.find(each => each.key === key)!
  const exchange = new Exchange(client, api, { apiKey: key, apiVersion: version, correlationId: 1, clientId: 'c' }, {})
  const chunks = encodeResponse(key, version, 1, value as never)
  const frame = { chunks, byteLength: 0 }
  const outcome = await pipeline.judgeResponse(exchange, frame)
  assert.equal(outcome.kind, 'forward')
  const sent = outcome.kind === 'forward' && outcome.changed ? pipeline.encodeResponse(exchange).chunks : chunks
  return { bytes: Buffer.concat(sent), body: exchange.response as Value }
}

function assertNoLeak(bytes: Buffer, body: unknown, what: string): void {
  const text = bytes.toString('latin1').toLowerCase()
  for (const secret of [secretHost.toLowerCase(), 'upstream-secret', String(secretPort)]) {
    assert.equal(text.includes(secret), false, `${what}: ${secret} reaches the client`)
  }
  const search = (value: unknown): void => {
    assert.notEqual(value, secretPort, `${what}: a broker's port reaches the client`)
    if (value !== null && typeof value === 'object') Object.values(value).forEach(search)
  }
  search(body)
}

describe('what clients get', () => {
  const seen = new Set<string>()
  for (const { key, name } of allApis) {
    const versions = served.versionsOf(key)
    const code = codes.get(`${name}Response`)
    if (versions === undefined) continue
    test(`B-35: ${name} answers hold no address of a broker, in any version`, async () => {
      assert.ok(code !== undefined)
      for (let version = versions.min; version <= versions.max; version++) {
        for (const nodeId of [knownNode, unknownNode]) {
          const value = fullest(code, version)
          for (const path of fill(code, version, value, nodeId)) seen.add(path)
          const { bytes, body } = await sentToClient(key as ApiKey, version, value)
          assertNoLeak(bytes, body, `${name} v${version}`)
        }
      }
    })
  }

  test('B-35: every field of theirs that can hold an address or free text was looked at', () => {
    const names = new Set(
      allApis.filter(({ key }) => served.versionsOf(key) !== undefined).map(({ name }) => `${name}Response`),
    )
    const expected = sensitiveFields.filter(
      ({ path, kind }) => (kind === 'brokerAddress' || kind === 'freeText') && names.has(path.split('.')[0]!),
    )
    assert.ok(expected.length > 60)
    assert.deepEqual(
      expected.map(({ path }) => path).filter(path => !seen.has(path)),
      [],
    )
  })

  test('B-35: the configuration of a broker says nowhere where brokers listen', async () => {
    const code = codes.get('DescribeConfigsResponse')!
    const names = [
      'listeners',
      'advertised.listeners',
      'controller.quorum.voters',
      'controller.quorum.bootstrap.servers',
      'remote.log.metadata.manager.bootstrap',
      'any.plugin.servers',
      `listener.name.${secretHost}.ssl.keystore.location`,
    ]
    for (const version of code.versions) {
      for (const resourceType of [4, 2]) {
        const value = fullest(code, version) as {
          results: { resourceType: number; resourceName: string; errorMessage: string | null; configs: Value[] }[]
        }
        const [result] = value.results
        const [config] = result!.configs
        const synonyms = (config!.synonyms as Value[]).slice(0, 1)
        const configs = (resourceType === 4 ? names : ['follower.fetch.from']).map(name => ({
          ...config,
          name,
          value: listeners,
          synonyms: synonyms.map(synonym => ({ ...synonym, name, value: listeners })),
          documentation: null,
        }))
        value.results = [{ ...result!, resourceType, resourceName: '1', errorMessage: listeners, configs }]
        const { bytes, body } = await sentToClient(ApiKey.DescribeConfigs, version, value)
        assertNoLeak(bytes, body, `DescribeConfigs v${version} of resource type ${resourceType}`)
      }
    }
  })

  test('other texts and values pass as they are', async () => {
    const code = codes.get('CreateTopicsResponse')!
    for (const version of code.versions) {
      const value = fullest(code, version)
      const { bytes } = await sentToClient(ApiKey.CreateTopics, version, value)
      assert.deepEqual(bytes, Buffer.concat(encodeResponse(ApiKey.CreateTopics, version, 1, value as never)))
    }
  })
})
