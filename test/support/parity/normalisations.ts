/** Every difference that is not one, with its reason. A field that is not here is compared as it came. */
import { ApiKey } from '../../../src/protocol/api-key.ts'
import { zeroUuid } from '../../../src/protocol/empty.ts'
import { ErrorCode } from '../../../src/protocol/error-code.ts'
import type { FetchableTopicResponse } from '../../../src/protocol/generated/fetch-response.ts'

/** What one side calls its topics. */
export interface Names {
  readonly nameOfId: ReadonlyMap<string, string>
}

export interface Normalisation {
  /** Default: every API. */
  readonly keys?: readonly ApiKey[]
  /** Names from the top of the response, with dots between. */
  readonly field: RegExp
  /** Default: everywhere. */
  readonly where?: (place: { readonly topic: string | undefined }) => boolean
  readonly why: string
  /** `undefined` leaves the field out. */
  readonly becomes: (value: unknown, context: Context) => unknown
}

export interface Context {
  readonly side: Names
  /** The struct that the field is in. */
  readonly among: Readonly<Record<string, unknown>>
}

const gone = () => undefined
const isSet = (value: unknown) => (BigInt(value as bigint) >= 0n ? 'set' : value)

export const rules: readonly Normalisation[] = [
  { field: /(^|\.)throttleTimeMs$/, why: 'load, not permission', becomes: gone },
  {
    keys: [ApiKey.CreateTopics],
    field: /\.topicId$/,
    why: 'each cluster makes its own; one that is only validated is told the id of no topic',
    becomes: id => (id === zeroUuid ? 'none' : 'id'),
  },
  {
    field: /(^|\.)(topicId|metadataTopicId)$/,
    why: 'each cluster makes its own ids; an id of no topic is the same on both sides',
    becomes: (id, { side }) =>
      id === zeroUuid ? 'none' : side.nameOfId.has(id as string) ? `id of ${side.nameOfId.get(id as string)}` : id,
  },
  {
    field:
      /\.(highWatermark|lastStableOffset|logStartOffset|lowWatermark|endOffset|records|timestamp|offset|firstOffset|activeProducers)$/,
    where: ({ topic }) => topic?.startsWith('__') ?? false,
    why: 'what coordinators write for themselves',
    becomes: gone,
  },
  {
    keys: [ApiKey.ListOffsets],
    field: /\.leaderEpoch$/,
    where: ({ topic }) => topic?.startsWith('__') ?? false,
    why: 'whether coordinators have written anything yet: without a record there is no epoch',
    becomes: gone,
  },
  {
    keys: [ApiKey.Fetch],
    field: /^responses$/,
    why: 'brokers put what failed behind what they read, so a topic stands there twice when another is between',
    becomes: topics => joinTopics(topics as FetchableTopicResponse[]),
  },
  {
    keys: [ApiKey.FindCoordinator],
    field: /\.key$/,
    why: 'the key of a share coordinator holds the id of a topic',
    becomes: (key, { side }) => plainText(key as string, side),
  },
  { field: /(^|\.)(host|port)$/, why: 'addresses', becomes: gone },
  { field: /(^|\.)listeners$/, why: 'addresses; the gateway shows none', becomes: gone },
  { field: /(^|\.)clusterId$/, why: 'each cluster makes its own', becomes: id => (id === null ? null : 'id') },
  {
    field: /(^|\.)producerId$/,
    why: 'given out in blocks that other requests use, too',
    becomes: isSet,
  },
  {
    keys: [ApiKey.ListOffsets],
    field: /\.timestamp$/,
    why: 'records are old, the markers of transactions are of the time of the run',
    becomes: time => ((time as bigint) > 1_750_000_000_000n ? 'now' : time),
  },
  {
    field: /(^|\.)(transactionStartTimeMs|lastTimestamp|currentTxnStartOffset|txnStartOffset)$/,
    why: 'the clock',
    becomes: isSet,
  },
  {
    field: /(^|\.)(memberId|leader|assignorName)$/,
    why: 'coordinators append a random id to the name of the client',
    becomes: id => (id as string | null)?.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, 'uuid') ?? null,
  },
  {
    keys: [ApiKey.Fetch],
    field: /^sessionId$/,
    why: 'random',
    becomes: id => (id === 0 ? 0 : 'set'),
  },
  {
    keys: [ApiKey.ShareFetch],
    field: /\.(records|acquiredRecords)$/,
    why: 'how far a share partition got with the loading of its state',
    becomes: gone,
  },
  {
    keys: [ApiKey.ShareFetch],
    field: /^responses\.partitions$/,
    why: 'share partitions load their state one after the other; which of them are told of when nothing failed hangs on that',
    becomes: partitions => (partitions as SharePartition[]).filter(hasFailed),
  },
  {
    keys: [ApiKey.ShareFetch],
    field: /^responses$/,
    why: 'the same: a topic with nothing but such partitions',
    becomes: topics =>
      (topics as { partitions: SharePartition[] }[]).filter(({ partitions }) => partitions.some(hasFailed)),
  },
  {
    keys: [ApiKey.DescribeShareGroupOffsets],
    field: /\.(startOffset|lag)$/,
    why: 'written once somebody lets go of records; who acquired them differs where Kafka fails a ShareFetch as a whole',
    becomes: gone,
  },
  {
    keys: [ApiKey.ShareGroupHeartbeat, ApiKey.ShareGroupDescribe],
    field: /(^|\.)assignment\.topicPartitions$/,
    why: 'which member gets which topic goes by the ids of the topics',
    becomes: topics => ((topics as unknown[]).length > 0 ? 'some' : 'none'),
  },
  {
    keys: [ApiKey.ShareAcknowledge],
    field: /\.(errorCode|errorMessage)$/,
    why: 'a record that nobody acquired is one of two errors, by how far the others have got',
    becomes: (value, { among }) => (notAcquired.has(among.errorCode as number) ? 'not acquired' : value),
  },
  {
    keys: [ApiKey.DescribeLogDirs],
    field: /\.(logDir|totalBytes|usableBytes|partitionSize|offsetLag)$/,
    why: 'the folder of the test, the size of its disk',
    becomes: gone,
  },
  {
    keys: [ApiKey.DescribeQuorum],
    field: /\.(highWatermark|logEndOffset|lastFetchTimestamp|lastCaughtUpTimestamp|replicaDirectoryId|leaderEpoch)$/,
    why: 'how much was written to the log of metadata, and when',
    becomes: gone,
  },
  {
    keys: [ApiKey.DescribeConfigs],
    field: /\.configs$/,
    why: 'a broker says where it listens and where its files are; which names it shows is compared',
    becomes: (configs, { among }) =>
      among.resourceType === 4
        ? (configs as { name: string }[]).map(({ name }) => name).filter(name => !name.startsWith('listener.name.'))
        : configs,
  },
  {
    keys: [ApiKey.GetTelemetrySubscriptions],
    field: /^(clientInstanceId|pushIntervalMs)$/,
    why: 'random',
    becomes: gone,
  },
  {
    field: /(^|\.)errorMessage$/,
    why: 'Kafka explains CLUSTER_AUTHORIZATION_FAILED by printing the request with its addresses; nobody else should',
    becomes: (text, { side, among }) =>
      among.errorCode === ErrorCode.CLUSTER_AUTHORIZATION_FAILED || text === null
        ? null
        : plainText(text as string, side),
  },
  {
    field: /(^|\.)(statusDetail|topicConfigErrorMessage)$/,
    why: 'texts for people: addresses in them are hidden, ids and ports are the clusters own',
    becomes: (text, { side }) => (text === null ? null : plainText(text as string, side)),
  },
]

interface SharePartition {
  readonly errorCode: number
  readonly acknowledgeErrorCode: number
}

const hasFailed = ({ errorCode, acknowledgeErrorCode }: SharePartition): boolean =>
  errorCode !== 0 || acknowledgeErrorCode !== 0

const notAcquired: ReadonlySet<number> = new Set([ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_RECORD_STATE])

function joinTopics(topics: readonly FetchableTopicResponse[]): FetchableTopicResponse[] {
  const joined = new Map<string, FetchableTopicResponse>()
  for (const entry of topics) {
    const key = `${entry.topic} ${entry.topicId}`
    const partitions = [...(joined.get(key)?.partitions ?? []), ...entry.partitions]
    joined.set(key, { ...entry, partitions })
  }
  return [...joined.values()]
}

function plainText(text: string, side: Names): string {
  let plain = text
    .replace(/\[address\]|[\w-][\w.-]*:\d+\b|127\.0\.0\.1/g, 'address')
    .replace(/producerId=\d+|ProducerId \d+/gi, 'producer')
    .replace(/cluster id "[\w-]{22}"/, 'cluster id')
  for (const [id, name] of side.nameOfId) plain = plain.replaceAll(id, `id of ${name}`)
  return plain
}
