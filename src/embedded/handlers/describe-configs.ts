/**
 * DescribeConfigs 1–4 of topics and brokers. A broker tells where it and the others listen, as Kafka's do: whoever must
 * hide that has something to hide here. Leaves out: groups, loggers, client metrics; most of Kafka's configs.
 */
import { ApiKey } from '../../protocol/api-key.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { DescribeConfigsResource } from '../../protocol/generated/describe-configs-request.ts'
import {
  type DescribeConfigsResourceResult,
  type DescribeConfigsResult,
  describeConfigsResponseDefaults,
} from '../../protocol/generated/describe-configs-response.ts'
import type { BrokerAddress, ClusterState } from '../cluster-state.ts'
import { type Call, handler } from '../handler.ts'
import type { Topic } from '../topics.ts'

type DescribeConfigsCall = Call<typeof ApiKey.DescribeConfigs>

const Resource = { topic: 2, broker: 4 } as const
const Source = { dynamicTopic: 1, staticBroker: 4, default: 5 } as const
const stringType = 2

interface Config {
  readonly name: string
  readonly value: string
  readonly source: number
}

export const describeConfigs = handler(ApiKey.DescribeConfigs, [1, 4], call => {
  return { ...describeConfigsResponseDefaults(), results: call.body.resources.map(each => describe(call, each)) }
})

function describe(call: DescribeConfigsCall, asked: DescribeConfigsResource): DescribeConfigsResult {
  const { resourceType, resourceName, configurationKeys } = asked
  const configs = call.refusal ?? configsOf(call, asked)
  if (typeof configs === 'number') {
    return { errorCode: configs, errorMessage: null, resourceType, resourceName, configs: [] }
  }
  const wanted = configs.filter(({ name }) => configurationKeys?.includes(name) ?? true)
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    resourceType,
    resourceName,
    configs: wanted.map(config => result(config, call)),
  }
}

function configsOf({ cluster, nodeId }: DescribeConfigsCall, asked: DescribeConfigsResource): Config[] | ErrorCode {
  const { resourceType, resourceName } = asked
  if (resourceType === Resource.topic) {
    const topic = cluster.topics.byName(resourceName)
    return topic === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : topicConfigs(cluster, topic)
  }
  if (resourceType !== Resource.broker) return ErrorCode.INVALID_REQUEST
  // An empty name asks for what all brokers share, which is nothing.
  if (resourceName === '') return []
  const broker = resourceName === String(nodeId) ? cluster.brokers.get(nodeId) : undefined
  return broker === undefined ? ErrorCode.INVALID_REQUEST : brokerConfigs(cluster, broker)
}

function topicConfigs({ settings, defaultReplicationFactor }: ClusterState, { configs }: Topic): Config[] {
  const defaults = new Map([
    ['cleanup.policy', 'delete'],
    ['compression.type', 'producer'],
    ['max.message.bytes', String(settings.messageBytesMax)],
    ['message.timestamp.type', 'CreateTime'],
    ['min.insync.replicas', String(Math.min(2, defaultReplicationFactor))],
    ['retention.bytes', String(settings.partitionBytesMax)],
    ['retention.ms', '-1'],
  ])
  return Array.from(new Map([...defaults, ...configs]), ([name, value]) => {
    return { name, value, source: configs.has(name) ? Source.dynamicTopic : Source.default }
  })
}

function brokerConfigs({ brokers }: ClusterState, { nodeId, host, port }: BrokerAddress): Config[] {
  const voters = Array.from(brokers.values(), each => `${each.nodeId}@${each.host}:${each.port}`).join(',')
  const configs = {
    'advertised.listeners': `PLAINTEXT://${host}:${port}`,
    'controller.quorum.voters': voters,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT',
    listeners: `PLAINTEXT://${host}:${port}`,
    'log.dirs': `/var/lib/kafka/${host}`,
    'node.id': String(nodeId),
    'num.io.threads': '8',
  }
  return Object.entries(configs).map(([name, value]) => ({ name, value, source: Source.staticBroker }))
}

function result(
  { name, value, source }: Config,
  { body, version }: DescribeConfigsCall,
): DescribeConfigsResourceResult {
  return {
    name,
    value,
    readOnly: source === Source.staticBroker,
    configSource: source,
    isSensitive: false,
    synonyms: body.includeSynonyms ? [{ name, value, source }] : [],
    configType: stringType,
    documentation: version >= 3 && body.includeDocumentation ? `what ${name} does` : null,
  }
}
