/**
 * What a client asks for that may not be, and what its library then says: the exception's class in Java, Kafka's name of
 * the error in the others, and behind it what the library says it is about. With VKITM_TEST_DIRECT=1 Kafka itself is
 * asked, with the same rules as ACLs: what stands here is what its clients hear from it.
 */
import type { StepClientName } from './step-clients.ts'

/** Everybody may do everything with `open`, `made` and what begins with `mine`; of `shown` only know that it is there. */
export const denialRules = `
p, role:client, topic, open, read, allow
p, role:client, topic, open, write, allow
p, role:client, topic, shown, describe, allow
p, role:client, topic, made, create, allow
p, role:client, topic, made, delete, allow
p, role:client, group, mine-*, read, allow
p, role:client, group, mine-*, delete, allow
p, role:client, group, shown, describe, allow
p, role:client, transactionalId, mine-*, write, allow
p, role:client, transactionalId, shown, describe, allow
g, User:java, role:client
g, User:confluent, role:client
g, User:franz, role:client
g, User:kafkajs, role:client
`

export const denialTopics = ['open', 'shown', 'hidden'] as const

export interface DenialCase {
  readonly what: string
  readonly step: object
  /** By client; who is not named does not do this. */
  readonly said: Readonly<Partial<Record<StepClientName, readonly string[]>>>
  /** Records, and marks of transactions, that the broker has more of in `open` afterwards. */
  readonly stored?: number
  /** Records of `open` that clients read at least, and none of other topics; absent: none at all. */
  readonly read?: Readonly<Partial<Record<StepClientName, number>>>
  /** In one answer of this API a topic was denied and another served, for those clients that ask for both at once. */
  readonly mixed?: { readonly api: 'Produce' | 'Fetch'; readonly clients: readonly StepClientName[] }
  /** Records go on coming while the step runs. */
  readonly isFed?: boolean
  /** The client asks without end, of Kafka itself as well. */
  readonly isRestless?: boolean
}

const all = (said: readonly string[]) => ({ java: said, confluent: said, franz: said, kafkajs: said })
const allRead = { java: 10, confluent: 10, franz: 10, kafkajs: 10 }
const produce = { do: 'produce', records: 5, value: 'v' }
const consume = { do: 'consume', records: 10, errors: 1, forMs: 8_000, thenMs: 1_000 }
const topic = 'TOPIC_AUTHORIZATION_FAILED'
const group = 'GROUP_AUTHORIZATION_FAILED'
const transactionalId = 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'
/** kafkajs swallows the error of whoever asks for a coordinator. */
const coordinatorLess = 'KafkaJSGroupCoordinatorNotFound'
const noCoordinator = 'Failed to find group coordinator'

const producing: readonly DenialCase[] = [
  { what: 'produces what it may', step: { ...produce, topics: ['open'] }, said: all([]), stored: 5 },
  {
    what: 'produces to a topic and, in the same request, to one that it may only describe',
    step: { ...produce, topics: ['open', 'shown'] },
    said: {
      java: ['TopicAuthorizationException shown'],
      confluent: [`${topic} shown`],
      franz: [`${topic} shown`],
      // Rejects the whole batch, of which the other half is stored.
      kafkajs: [`${topic} produce`],
    },
    stored: 5,
    // librdkafka has a request for each partition.
    mixed: { api: 'Produce', clients: ['java', 'franz', 'kafkajs'] },
  },
  {
    what: 'produces to a topic and to one that it may not even describe',
    step: { ...produce, topics: ['open', 'hidden'] },
    said: { java: ['TopicAuthorizationException hidden'], confluent: [`${topic} hidden`], franz: [`${topic} hidden`] },
    stored: 5,
  },
  {
    what: 'produces to a topic that it may not even describe',
    step: { ...produce, topics: ['hidden'] },
    said: {
      java: ['TopicAuthorizationException hidden'],
      confluent: [`${topic} hidden`],
      franz: [`${topic} hidden`],
      kafkajs: [`${topic} produce`],
    },
  },
]

const consuming: readonly DenialCase[] = [
  {
    what: 'consumes what it may',
    step: { ...consume, topics: ['open'], group: 'mine', errors: 0 },
    said: all([]),
    read: allRead,
  },
  {
    what: 'consumes a topic and, in the same request, one that it may only describe',
    step: { ...consume, topics: ['open', 'shown'], group: 'mine-shown' },
    said: {
      java: ['TopicAuthorizationException shown'],
      confluent: [`${topic} shown`],
      franz: [`${topic} shown`],
      kafkajs: [`${topic} crash`],
    },
    // kafkajs stops at the first error of an answer.
    read: { java: 10, confluent: 10, franz: 10 },
    // librdkafka begins with each as soon as it knows where, and leaves a denied one alone.
    mixed: { api: 'Fetch', clients: ['java', 'franz', 'kafkajs'] },
    isFed: true,
  },
  {
    what: 'consumes both from an offset that it knows: in the same request from the first on',
    step: { ...consume, topics: ['open', 'shown'], group: 'mine-known', offset: 0 },
    said: { confluent: [`${topic} shown`] },
    read: { confluent: 10 },
    mixed: { api: 'Fetch', clients: ['confluent'] },
    isFed: true,
  },
  {
    what: 'consumes a topic and one that it may not even describe',
    step: { ...consume, topics: ['open', 'hidden'], group: 'mine-hidden' },
    said: {
      java: ['TopicAuthorizationException hidden'],
      confluent: [`${topic} hidden`],
      franz: [`${topic} hidden`],
      kafkajs: [`${topic} consume`],
    },
    read: { java: 10, confluent: 10, franz: 10 },
  },
  {
    what: 'consumes both in a KIP-848 group',
    step: { ...consume, protocol: 'consumer', topics: ['open', 'shown'], group: 'mine-848-shown' },
    said: { java: ['TopicAuthorizationException shown'] },
    read: { java: 10 },
    mixed: { api: 'Fetch', clients: ['java'] },
    isFed: true,
  },
  {
    // Kafka refuses the whole heartbeat, and Java 4.4 sends the next at once.
    what: 'joins no KIP-848 group with a topic that it may not even describe',
    step: { ...consume, protocol: 'consumer', topics: ['open', 'hidden'], group: 'mine-848-hidden', records: 0 },
    said: { java: ['TopicAuthorizationException hidden', 'TopicAuthorizationException poll'] },
    isRestless: true,
  },
]

const groups: readonly DenialCase[] = [
  {
    what: 'joins no group that it may only describe',
    step: { ...consume, topics: ['open'], group: 'shown', records: 0 },
    said: {
      java: ['GroupAuthorizationException shown'],
      confluent: [`${group} consumer`],
      franz: [group],
      kafkajs: [`${group} crash`],
    },
  },
  {
    what: 'joins no group that it may not even describe',
    step: { ...consume, topics: ['open'], group: 'hidden', records: 0 },
    said: {
      java: ['GroupAuthorizationException hidden'],
      confluent: [`${group} consumer`],
      franz: [group],
      kafkajs: [`${coordinatorLess} crash: ${noCoordinator}`],
    },
  },
  {
    what: 'joins no such KIP-848 group',
    step: { ...consume, protocol: 'consumer', topics: ['open'], group: 'shown', records: 0 },
    said: { java: ['GroupAuthorizationException poll'] },
  },
]

const transactions: readonly DenialCase[] = [
  {
    what: 'commits a transaction of its own',
    step: { do: 'transact', topics: ['open'], transactionalId: 'mine' },
    said: all([]),
    // With the mark of its commit.
    stored: 2,
  },
  {
    what: 'begins no transaction under an id that it may only describe',
    step: { do: 'transact', topics: ['open'], transactionalId: 'shown' },
    stored: 0,
    said: {
      java: ['TransactionalIdAuthorizationException initTransactions'],
      confluent: [`${transactionalId} init_transactions`],
      franz: [`${transactionalId} BeginTransaction`],
      kafkajs: [`${transactionalId} transact`],
    },
  },
  {
    what: 'begins no transaction under an id that it may not even describe',
    step: { do: 'transact', topics: ['open'], transactionalId: 'hidden' },
    stored: 0,
    said: {
      java: ['TransactionalIdAuthorizationException initTransactions'],
      confluent: [`${transactionalId} init_transactions`],
      franz: [`${transactionalId} BeginTransaction`],
      kafkajs: [`${coordinatorLess} transact: ${noCoordinator}`],
    },
  },
  {
    what: 'commits no transaction with a topic that it may only describe',
    step: { do: 'transact', topics: ['open', 'shown'], transactionalId: 'mine-mixed' },
    said: {
      java: ['TopicAuthorizationException shown'],
      confluent: [`${topic} commit_transaction`],
      franz: [`${topic} shown`],
      kafkajs: [`${topic} transact`],
    },
  },
]

const administration: readonly DenialCase[] = [
  { what: 'creates a topic that it may create', step: { do: 'createTopic', name: 'made' }, said: all([]) },
  { what: 'deletes a topic that it may delete', step: { do: 'deleteTopic', name: 'made' }, said: all([]) },
  { what: 'describes its group', step: { do: 'describeGroup', name: 'mine' }, said: all([]) },
  { what: 'deletes its group', step: { do: 'deleteGroup', name: 'mine' }, said: all([]) },
  {
    what: 'creates no other topic',
    step: { do: 'createTopic', name: 'more' },
    said: about(topic, 'createTopic', 'more'),
  },
  ...['shown', 'hidden'].map(name => ({
    what: `does not delete the topic ${name}`,
    step: { do: 'deleteTopic', name },
    said: about(topic, 'deleteTopic', name),
  })),
  {
    what: 'describes no other group',
    step: { do: 'describeGroup', name: 'hidden' },
    said: {
      java: ['GroupAuthorizationException hidden'],
      confluent: [`${group} describeGroup`],
      franz: [`${group} describeGroup`],
      kafkajs: [`${coordinatorLess} describeGroup: ${noCoordinator}`],
    },
  },
  {
    what: 'deletes no group that it may only describe',
    step: { do: 'deleteGroup', name: 'shown' },
    said: {
      java: ['GroupAuthorizationException deleteGroup'],
      confluent: [`${group} deleteGroup`],
      franz: [`${group} shown`],
      kafkajs: [`${group} deleteGroup`],
    },
  },
]

/** franz-go hands out the answer, with its names; the others an error of the call. */
function about(code: string, call: string, name: string): DenialCase['said'] {
  return {
    java: [`TopicAuthorizationException ${call}`],
    confluent: [`${code} ${call}`],
    franz: [`${code} ${name}`],
    kafkajs: [`${code} ${call}`],
  }
}

export const denialCases = [...producing, ...consuming, ...groups, ...transactions, ...administration]
