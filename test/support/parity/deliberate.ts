/**
 * Where the gateway differs from Kafka on purpose. Each line names its line under "Stricter than Kafka" in SECURITY.md,
 * and says as narrowly as it can which place of which answer it is about; anything else that differs is a mistake.
 */
import { ApiKey } from '../../../src/protocol/api-key.ts'
import { ErrorCode } from '../../../src/protocol/error-code.ts'
import { type Acl, mayDescribe } from './acl.ts'
import type { Change } from './changes.ts'
import type { Plain } from './normalise.ts'
import { forgetStreamsMember } from './settle.ts'
import type { Side } from './side.ts'
import type { Step } from './step.ts'

export interface Deliberate {
  readonly keys: readonly ApiKey[]
  /** First and last; default: all. */
  readonly versions?: readonly [number, number]
  /** Names of fields and elements, with slashes between. */
  readonly place: RegExp
  /** What Kafka says there, and what the gateway says; texts by an expression. Default: anything. */
  readonly expected?: Plain | RegExp
  readonly got: Plain | RegExp
  readonly where?: (difference: DifferenceAt) => boolean
  /** What else differs in this answer follows from it, and so does what comes after it in its conversation. */
  readonly decidesAll?: boolean
  /** Makes both sides alike again. */
  readonly undo?: (sides: readonly Side[], body: unknown) => Promise<void>
  /** How its line in SECURITY.md begins. */
  readonly securityLine: string
}

export interface DifferenceAt {
  readonly step: Step
  readonly request: Plain
  readonly acls: readonly Acl[]
  readonly change: Change
  /** All that the gateway answered. */
  readonly got: Plain
}

const leftOut = 'Under a policy, DescribeLogDirs, ListPartitionReassignments, ListConfigResources and an ElectLeaders'
const unknownIds = 'A ShareFetch or ShareAcknowledge with an id that nobody knows'
const unknownOperations = 'An IncrementalAlterConfigs with an operation that does not exist'
const settings = 'Under a policy, clients choose only those settings of a topic'

export const deliberate: readonly Deliberate[] = [
  {
    keys: [ApiKey.DescribeLogDirs],
    place: /^results\/[^/]*\/topics\/[^/]+$/,
    got: 'nothing',
    where: isHiddenTopic,
    securityLine: leftOut,
  },
  {
    keys: [ApiKey.ElectLeaders],
    place: /^replicaElectionResults\/[^/]+$/,
    got: 'nothing',
    where: difference => askedForAll(difference) && isHiddenTopic(difference),
    securityLine: leftOut,
  },
  {
    keys: [ApiKey.ListConfigResources],
    place: /^configResources\/[^/]+:(2|32)$/,
    got: 'nothing',
    where: ({ step, acls, change }) => {
      const [, name, type] = /^(.*):(\d+)$/.exec(change.path.at(-1)!)!
      return !mayDescribe(acls, step.principal, type === '2' ? 'topic' : 'group', name!)
    },
    securityLine: leftOut,
  },
  {
    keys: [ApiKey.CreateTopics],
    place: /^topics\/[^/]+\/errorCode$/,
    expected: ErrorCode.INVALID_CONFIG,
    got: ErrorCode.POLICY_VIOLATION,
    securityLine: settings,
  },
  {
    keys: [ApiKey.CreateTopics],
    place: /^topics\/[^/]+\/errorMessage$/,
    expected: /^"Unknown topic config name: no\.such"$/,
    got: /^"The gateway does not let clients choose no\.such\."$/,
    securityLine: settings,
  },
  {
    keys: [ApiKey.AlterConfigs, ApiKey.IncrementalAlterConfigs],
    place: /^responses\/[^/]*:2\/errorCode$/,
    expected: ErrorCode.INVALID_CONFIG,
    got: ErrorCode.POLICY_VIOLATION,
    securityLine: settings,
  },
  {
    keys: [ApiKey.AlterConfigs, ApiKey.IncrementalAlterConfigs],
    place: /^responses\/[^/]*:2\/errorMessage$/,
    expected:
      /^"(Unknown topic config name: no\.such|Can't (APPEND|SUBTRACT) to key no\.such because its type is not LIST\.)"$/,
    got: /^"The gateway does not let clients choose no\.such\."$/,
    securityLine: settings,
  },
  {
    // Kafka takes back what was never set.
    keys: [ApiKey.IncrementalAlterConfigs],
    place: /^responses\/[^/]*:2\/errorCode$/,
    expected: ErrorCode.NONE,
    got: ErrorCode.POLICY_VIOLATION,
    where: takesBack,
    securityLine: settings,
  },
  {
    keys: [ApiKey.IncrementalAlterConfigs],
    place: /^responses\/[^/]*:2\/errorMessage$/,
    expected: null,
    got: /^"The gateway does not let clients choose no\.such\."$/,
    where: takesBack,
    securityLine: settings,
  },
  {
    keys: [ApiKey.AlterShareGroupOffsets],
    place: /^responses\/[^/]+\/topicId$/,
    expected: /^"id of /,
    got: 'none',
    securityLine: 'A denial tells no id: in AlterShareGroupOffsets',
  },
  {
    keys: [ApiKey.ShareFetch, ApiKey.ShareAcknowledge],
    place: /^errorCode$/,
    expected: ErrorCode.UNKNOWN_SERVER_ERROR,
    got: ErrorCode.NONE,
    where: ({ request }) => idsIn(request).some(id => !id.startsWith('id of ')),
    decidesAll: true,
    securityLine: unknownIds,
  },
  {
    keys: [ApiKey.ShareFetch],
    place: /^errorCode$/,
    expected: ErrorCode.UNKNOWN_SERVER_ERROR,
    got: ErrorCode.NONE,
    where: ({ request }) =>
      (request as { shareSessionEpoch: number }).shareSessionEpoch === 0 &&
      new Set(idsIn(request)).size < idsIn(request).length,
    decidesAll: true,
    securityLine: unknownIds,
  },
  {
    keys: [ApiKey.IncrementalAlterConfigs],
    place: /^responses\/[^/]*\/errorCode$/,
    expected: ErrorCode.UNKNOWN_SERVER_ERROR,
    got: /^(29|30|31|44)$/,
    where: hasUnknownOperation,
    securityLine: unknownOperations,
  },
  {
    keys: [ApiKey.IncrementalAlterConfigs],
    place: /^responses\/[^/]*\/errorMessage$/,
    expected: null,
    got: /authorization failed|^"The gateway does not let clients choose/,
    where: hasUnknownOperation,
    securityLine: unknownOperations,
  },
  {
    keys: [ApiKey.StreamsGroupHeartbeat],
    place: /^errorCode$/,
    got: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
    where: ({ request, got }) =>
      (request as { memberEpoch: number }).memberEpoch === 0 &&
      ((got as { errorMessage: string | null }).errorMessage ?? '').startsWith('Unauthorized to CREATE on topics'),
    decidesAll: true,
    undo: forgetStreamsMember,
    securityLine: 'Nobody joins a streams group whose topology needs topics that he may not create',
  },
  {
    keys: [ApiKey.StreamsGroupDescribe],
    versions: [1, 1],
    place: /^groups\/[^/]+\/topologyDescription(Status)?$/,
    got: /^(null|1)$/,
    securityLine: 'StreamsGroupDescribe shows the description of a topology',
  },
]

/** The first line that says so; undefined where a change is a mistake. */
export function deliberateOf(difference: DifferenceAt): Deliberate | undefined {
  const { step, change } = difference
  const place = change.path.join('/')
  return deliberate.find(
    ({ keys, versions: [min, max] = [0, 99], place: places, expected, got, where }) =>
      keys.includes(step.key) &&
      step.version >= min &&
      step.version <= max &&
      places.test(place) &&
      (expected === undefined || fits(change.expected, expected)) &&
      fits(change.got, got) &&
      (where?.(difference) ?? true),
  )
}

function fits(value: Plain, wanted: Plain | RegExp): boolean {
  const text = JSON.stringify(value)
  return wanted instanceof RegExp ? wanted.test(text) : text === JSON.stringify(wanted)
}

function isHiddenTopic({ step, acls, change }: DifferenceAt): boolean {
  return !mayDescribe(acls, step.principal, 'topic', change.path.at(-1)!)
}

function askedForAll({ request }: DifferenceAt): boolean {
  return (request as { topicPartitions: Plain }).topicPartitions === null
}

function idsIn(request: Plain): string[] {
  return (request as { topics: { topicId: string }[] }).topics.map(({ topicId }) => topicId)
}

/** Kafka has 0 to 3. */
function hasUnknownOperation({ request }: DifferenceAt): boolean {
  return operationsIn(request).some(operation => operation > 3)
}

function takesBack({ request, change }: DifferenceAt): boolean {
  return operationsIn(request, change.path[1]).includes(1)
}

/** `of`: `name:type` of the only resource to look at. */
function operationsIn(request: Plain, of?: string): number[] {
  const { resources } = request as {
    resources: { resourceName: string; resourceType: number; configs: { configOperation: number }[] }[]
  }
  return resources
    .filter(({ resourceName, resourceType }) => of === undefined || of === `${resourceName}:${resourceType}`)
    .flatMap(({ configs }) => configs.map(({ configOperation }) => configOperation))
}
