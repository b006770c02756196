/** Short conversations whose later requests hang on earlier answers: sessions, members, transactions. */
import { ApiKey } from '../../../src/protocol/api-key.ts'
import type { ResponseByKey } from '../../../src/protocol/codec.ts'
import { BatchAttribute } from '../../../src/records/record-batch.ts'
import { writeBatch } from '../../../src/records/write-batch.ts'
import { Span } from '../../../src/wire/span.ts'
import type { PartialBody } from './complete-body.ts'
import { topologyOf } from './requests/new-groups.ts'
import { recordTimestamp } from './requests/records.ts'
import type { Facts, Producer, Step } from './step.ts'
import type { Draw, PrincipalName } from './world.ts'

/** The versions that both sides serve. */
export type Offered = (key: ApiKey) => readonly number[]

export interface Script {
  readonly draw: Draw
  readonly offered: Offered
  readonly principal: PrincipalName
  /** Of this script alone, in its batch. */
  readonly id: string
}

interface Line<Key extends ApiKey> {
  readonly versions?: (version: number) => boolean
  readonly items?: number
  readonly body: (facts: Facts) => PartialBody<Key>
  readonly learn?: (facts: Facts, response: ResponseByKey[Key]) => void
}

/** No steps where neither side serves a version that fits. */
function line<Key extends ApiKey>(script: Script, key: Key, line: Line<Key>): Step[] {
  const { draw, offered, principal, id } = script
  const versions = offered(key).filter(line.versions ?? (() => true))
  if (versions.length === 0) return []
  const { items = 1, body, learn } = line
  const version = draw.random.pick(versions)
  const step = { key, version, principal, connection: id, items, body, ...(learn === undefined ? {} : { learn }) }
  return [step as unknown as Step]
}

const noted = <Value>(facts: Facts, name: string, otherwise: Value): Value =>
  (facts.notes.get(name) as Value | undefined) ?? otherwise

function fetchSession(script: Script): Step[] {
  const { draw, id, offered } = script
  // Names and ids do not mix in one session: Kafka answers that, too, but here only now and then.
  const version = draw.random.pick(offered(ApiKey.Fetch).filter(each => each >= 7))
  const versions = draw.yes(10) ? (each: number) => each >= 7 : (each: number) => each === version
  const first = draw.topics()
  const added = draw.topics()
  const forgotten = draw.some(() => draw.random.pick(first))
  const fetch = (epoch: number, names: readonly string[], gone: readonly string[] = []) =>
    line(script, ApiKey.Fetch, {
      versions,
      items: Math.max(1, names.length + gone.length),
      body: facts => ({
        maxBytes: 1_000_000,
        sessionId: epoch === 0 ? 0 : noted(facts, id, 0),
        sessionEpoch: epoch,
        topics: names.map(topic => ({
          topic,
          topicId: facts.topicId(topic),
          partitions: [{ partition: 0, fetchOffset: 1n, partitionMaxBytes: 100_000 }],
        })),
        forgottenTopicsData: gone.map(topic => ({ topic, topicId: facts.topicId(topic), partitions: [0] })),
      }),
      learn: (facts, { sessionId }) => epoch === 0 && facts.notes.set(id, sessionId),
    })
  return [
    ...fetch(0, first),
    ...fetch(1, []),
    ...fetch(2, added),
    ...fetch(3, [], forgotten),
    ...fetch(4, []),
    ...fetch(draw.yes(3) ? 77 : 5, []),
    ...fetch(-1, []),
    ...fetch(6, []),
  ]
}

function classicMember(script: Script): Step[] {
  const { draw, id } = script
  const { random, world } = draw
  const groupId = random.pick([...world.groups, ...world.absentGroups])
  const protocols = [{ name: 'range', metadata: Buffer.from([0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]) }]
  const member = (facts: Facts) => noted(facts, id, { memberId: '', generationId: -1 })
  const memberId = (facts: Facts) => member(facts).memberId
  const topics = draw.topics()
  const join = line(script, ApiKey.JoinGroup, {
    body: facts => ({
      groupId,
      sessionTimeoutMs: 1_800_000,
      rebalanceTimeoutMs: 1_000,
      memberId: memberId(facts),
      protocolType: 'consumer',
      protocols,
    }),
    learn: (facts, { memberId, generationId }) => facts.notes.set(id, { memberId, generationId }),
  })
  return [
    ...join,
    ...join,
    ...line(script, ApiKey.SyncGroup, {
      body: facts => ({
        groupId,
        ...member(facts),
        protocolType: 'consumer',
        protocolName: 'range',
        assignments: [{ memberId: memberId(facts), assignment: Buffer.from([1]) }],
      }),
    }),
    ...line(script, ApiKey.Heartbeat, { body: facts => ({ groupId, ...member(facts) }) }),
    ...line(script, ApiKey.OffsetCommit, {
      items: 1 + topics.length,
      body: facts => ({
        groupId,
        memberId: memberId(facts),
        generationIdOrMemberEpoch: member(facts).generationId,
        topics: topics.map(name => ({
          name,
          topicId: facts.topicId(name),
          partitions: [{ partitionIndex: 0, committedOffset: 3n, committedMetadata: '' }],
        })),
      }),
    }),
    ...line(script, ApiKey.DescribeGroups, { body: () => ({ groups: [groupId], includeAuthorizedOperations: true }) }),
    ...line(script, ApiKey.LeaveGroup, {
      body: facts => ({ groupId, memberId: memberId(facts), members: [{ memberId: memberId(facts) }] }),
    }),
  ]
}

function consumerMember(script: Script): Step[] {
  const { draw, id } = script
  const groupId = draw.random.pick(draw.world.absentGroups)
  const memberId = Buffer.from(id.padEnd(16).slice(0, 16)).toString('base64url')
  const names = draw.yes(3) ? draw.topics() : draw.some(() => draw.random.pick(draw.world.topics).name)
  const heartbeat = (epoch: 'join' | 'stay' | 'leave') =>
    line(script, ApiKey.ConsumerGroupHeartbeat, {
      items: epoch === 'join' ? 1 + names.length : 1,
      body: facts => ({
        groupId,
        memberId,
        memberEpoch: epoch === 'join' ? 0 : epoch === 'leave' ? -1 : noted(facts, id, 1),
        rebalanceTimeoutMs: epoch === 'join' ? 3_600_000 : -1,
        subscribedTopicNames: epoch === 'join' ? names : null,
        topicPartitions: epoch === 'join' ? [] : null,
      }),
      learn: (facts, { memberEpoch }) => facts.notes.set(id, memberEpoch),
    })
  return [
    ...heartbeat('join'),
    ...heartbeat('stay'),
    ...line(script, ApiKey.ConsumerGroupDescribe, {
      body: () => ({ groupIds: [groupId], includeAuthorizedOperations: true }),
    }),
    ...line(script, ApiKey.OffsetCommit, {
      versions: version => version >= 9,
      items: 1 + names.length,
      body: facts => ({
        groupId,
        memberId,
        generationIdOrMemberEpoch: noted(facts, id, 1),
        topics: names.map(name => ({
          name,
          topicId: facts.topicId(name),
          partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }],
        })),
      }),
    }),
    ...heartbeat('leave'),
  ]
}

function shareMember(script: Script): Step[] {
  const { draw, id } = script
  const groupId = draw.yes(3) ? draw.random.pick(draw.world.absentGroups) : draw.world.liveGroups.share
  const memberId = Buffer.from(id.padEnd(16).slice(0, 16)).toString('base64url')
  // What a session cannot begin with, and what breaks it, is asked in brokenShareFetch.
  const existing = () => draw.random.pick(draw.world.topics).name
  const names = [...new Set(draw.some(existing))]
  const heartbeat = (memberEpoch: number) =>
    line(script, ApiKey.ShareGroupHeartbeat, {
      items: 1 + names.length,
      body: () => ({ groupId, memberId, memberEpoch, subscribedTopicNames: memberEpoch === 0 ? names : null }),
    })
  const fetch = (shareSessionEpoch: number, topics: readonly string[]) =>
    line(script, ApiKey.ShareFetch, {
      items: 1 + topics.length,
      body: facts => ({
        groupId,
        memberId,
        shareSessionEpoch,
        maxWaitMs: 200,
        minBytes: 1,
        maxRecords: 5,
        batchSize: 5,
        topics: topics.map(topic => ({ topicId: facts.topicId(topic), partitions: [{ partitionIndex: 0 }] })),
      }),
    })
  const acknowledge = (shareSessionEpoch: number, topics: readonly string[]) =>
    line(script, ApiKey.ShareAcknowledge, {
      items: 1 + topics.length,
      body: facts => ({
        groupId,
        memberId,
        shareSessionEpoch,
        topics: topics.map(topic => ({
          topicId: facts.topicId(topic),
          // A record that nobody acquired: which ones were hangs on the clock.
          partitions: [
            {
              partitionIndex: 0,
              acknowledgementBatches: [{ firstOffset: 900n, lastOffset: 900n, acknowledgeTypes: [1] }],
            },
          ],
        })),
      }),
    })
  return [
    ...heartbeat(0),
    ...fetch(0, names),
    ...fetch(1, []),
    ...fetch(2, [existing()]),
    ...acknowledge(3, names),
    ...acknowledge(-1, []),
    ...heartbeat(-1),
  ]
}

/** A share session that begins with an id nobody knows, or with a partition twice: Kafka trips over both. */
function brokenShareFetch(script: Script): Step[] {
  const { draw, id } = script
  const memberId = Buffer.from(id.padEnd(16).slice(0, 16)).toString('base64url')
  const names = [...new Set(draw.some(() => draw.random.pick(draw.world.topics).name))]
  const broken = draw.yes() ? draw.random.pick(draw.world.absentTopics) : names[0]!
  return line(script, ApiKey.ShareFetch, {
    items: 2 + names.length,
    body: facts => ({
      // Of its own: what is acquired here is kept from others of a group, and on one side nothing is.
      groupId: `${draw.world.prefix}readers.share`,
      memberId,
      shareSessionEpoch: 0,
      maxWaitMs: 200,
      minBytes: 1,
      maxRecords: 5,
      batchSize: 5,
      topics: [...names, broken].map(topic => ({ topicId: facts.topicId(topic), partitions: [{ partitionIndex: 0 }] })),
    }),
  })
}

function streamsMember(script: Script): Step[] {
  const { draw, id } = script
  const groupId = draw.random.pick(draw.world.absentGroups)
  const memberId = Buffer.from(id.padEnd(16).slice(0, 16)).toString('base64url')
  const sources = draw.some(() => draw.random.pick(draw.world.topics).name)
  const changelogs = draw.yes() ? [`${draw.world.prefix}${id}-changelog`] : []
  const heartbeat = (epoch: 'join' | 'stay' | 'leave') => {
    const joins = epoch === 'join'
    const none = joins ? [] : null
    return line(script, ApiKey.StreamsGroupHeartbeat, {
      items: joins ? 1 + sources.length + changelogs.length : 1,
      body: facts => ({
        groupId,
        memberId,
        memberEpoch: joins ? 0 : epoch === 'leave' ? -1 : noted(facts, id, 1),
        rebalanceTimeoutMs: joins ? 3_600_000 : -1,
        topology: joins ? topologyOf(sources, changelogs) : null,
        processId: joins ? 'parity' : null,
        activeTasks: none,
        standbyTasks: none,
        warmupTasks: none,
      }),
      learn: (facts, { memberEpoch }) => facts.notes.set(id, memberEpoch),
    })
  }
  return [
    ...heartbeat('join'),
    ...heartbeat('stay'),
    ...line(script, ApiKey.StreamsGroupDescribe, {
      body: () => ({ groupIds: [groupId], includeAuthorizedOperations: true, includeTopologyDescription: true }),
    }),
    ...heartbeat('leave'),
  ]
}

function produceLine(script: Script, transactionalId: string | null, producer: (facts: Facts) => Producer) {
  const topics = script.draw.some(() => script.draw.random.pick(script.draw.world.topics).name)
  const attributes = transactionalId === null ? 0 : BatchAttribute.transactional
  return line(script, ApiKey.Produce, {
    items: topics.length,
    body: facts => ({
      transactionalId,
      acks: -1,
      timeoutMs: 10_000,
      topicData: topics.map(name => ({
        name,
        topicId: facts.topicId(name),
        partitionData: [{ index: 0, records: Span.of(batchOf(producer(facts), attributes)) }],
      })),
    }),
  })
}

function batchOf(producer: Producer, attributes: number): Buffer {
  const record = { value: Buffer.from('transaction'), timestamp: recordTimestamp }
  return writeBatch([record], { ...producer, baseSequence: 0, attributes })
}

function transaction(script: Script): Step[] {
  const { draw } = script
  const transactionalId = draw.transactionalId()
  const topics = draw.some(() => (draw.yes(8) ? draw.topic() : draw.random.pick(draw.world.topics).name))
  const groupId = draw.random.pick(draw.world.groups)
  const producer = (facts: Facts) => facts.producer(transactionalId)
  const commits = draw.topics()
  const committed = draw.yes()
  return [
    ...line(script, ApiKey.InitProducerId, { body: () => ({ transactionalId, transactionTimeoutMs: 900_000 }) }),
    ...line(script, ApiKey.AddPartitionsToTxn, {
      versions: version => version <= 3,
      items: 1 + topics.length,
      body: facts => ({
        v3AndBelowTransactionalId: transactionalId,
        v3AndBelowProducerId: producer(facts).producerId,
        v3AndBelowProducerEpoch: producer(facts).producerEpoch,
        v3AndBelowTopics: topics.map(name => ({ name, partitions: [0] })),
      }),
    }),
    ...produceLine(script, transactionalId, producer),
    ...line(script, ApiKey.AddOffsetsToTxn, {
      items: 2,
      body: facts => ({ transactionalId, ...producer(facts), groupId }),
    }),
    ...line(script, ApiKey.TxnOffsetCommit, {
      items: 2 + commits.length,
      body: facts => ({
        transactionalId,
        groupId,
        ...producer(facts),
        topics: commits.map(name => ({
          name,
          topicId: facts.topicId(name),
          partitions: [{ partitionIndex: 0, committedOffset: 4n, committedMetadata: '' }],
        })),
      }),
    }),
    ...line(script, ApiKey.DescribeTransactions, { body: () => ({ transactionalIds: [transactionalId] }) }),
    ...line(script, ApiKey.EndTxn, { body: facts => ({ transactionalId, ...producer(facts), committed }) }),
  ]
}

function idempotentProducer(script: Script): Step[] {
  const { id } = script
  const nobody: Producer = { producerId: 55_555n, producerEpoch: 0 }
  const producer = (facts: Facts) => noted(facts, id, nobody)
  return [
    ...line(script, ApiKey.InitProducerId, {
      body: () => ({ transactionalId: null, transactionTimeoutMs: 60_000 }),
      learn: (facts, { producerId, producerEpoch }) =>
        facts.notes.set(id, producerId < 0n ? nobody : { producerId, producerEpoch }),
    }),
    ...produceLine(script, null, producer),
  ]
}

export const scripts: Readonly<Record<string, (script: Script) => Step[]>> = {
  fetchSession,
  classicMember,
  consumerMember,
  shareMember,
  brokenShareFetch,
  streamsMember,
  transaction,
  idempotentProducer,
}
