/**
 * What the gateway asks a cluster for its policies: which topics there are, and whether asking for one creates it. One
 * connection for all of it, opened when there is a question, with the gateway's own identity; another broker is tried
 * once where one fails.
 */
import { ApiKey } from '../protocol/api-key.ts'
import type { RequestByKey } from '../protocol/codec.ts'
import { zeroUuid } from '../protocol/empty.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { MetadataRequestTopic } from '../protocol/generated/metadata-request.ts'
import type { ClusterView } from '../topology/cluster-view.ts'
import { existingIn, type NamedTopic, type TopicQuestions } from '../topology/topic-catalog.ts'
import { apiVersionsRequest, type Questions } from './cluster-watch.ts'
import type { HostAndPort } from './dialer.ts'
import { GroupExpressions, stopped, unanswered } from './group-expressions.ts'

export interface ClusterQuestionsOptions {
  readonly view: ClusterView
  readonly bootstrap: readonly HostAndPort[]
  readonly connect: (target: HostAndPort) => Promise<Questions>
  /** Monotonic milliseconds. */
  readonly now: () => number
}

interface Asked {
  readonly questions: Questions
  readonly target: HostAndPort
  /** The newest version that this broker and we both know; undefined where there is none. */
  readonly versions: ReadonlyMap<number, number>
}

export class ClusterQuestions implements TopicQuestions {
  readonly #options: ClusterQuestionsOptions
  readonly #groups: GroupExpressions
  #asked: Promise<Asked> | undefined
  #turn = 0
  #isClosed = false

  constructor(options: ClusterQuestionsOptions) {
    this.#options = options
    const { connect, now } = options
    const coordinator = (groupId: string) => this.#try(asked => coordinatorOf(asked, groupId))
    this.#groups = new GroupExpressions({ coordinatorOf: coordinator, connect, now })
  }

  byId(ids: readonly string[]): Promise<readonly NamedTopic[]> {
    return this.#inParts(ids, topicId => ({ topicId, name: null }))
  }

  byName(names: readonly string[]): Promise<readonly NamedTopic[]> {
    return this.#inParts(names, name => ({ topicId: zeroUuid, name }))
  }

  all(): Promise<readonly NamedTopic[]> {
    return this.#metadata(null)
  }

  /** `auto.create.topics.enable` of a broker; undefined where it does not tell us. */
  async autoCreatesTopics(): Promise<boolean | undefined> {
    return this.#try(async ({ questions, target, versions }) => {
      const nodeId = this.#nodeAt(target)
      const version = versions.get(ApiKey.DescribeConfigs)
      if (nodeId === undefined || version === undefined) return undefined
      const resource = {
        resourceType: brokerResource,
        resourceName: String(nodeId),
        configurationKeys: [creationSetting],
      }
      const { results } = await questions.ask(ApiKey.DescribeConfigs, version, {
        resources: [resource],
        includeSynonyms: false,
        includeDocumentation: false,
      })
      const value = results[0]?.configs.find(({ name }) => name === creationSetting)?.value
      return value === undefined || value === null ? undefined : value === 'true'
    })
  }

  /**
   * The expression that the cluster has of a member of a consumer group (KIP-848), a second ago at the most; null for
   * none, undefined where there is no such member.
   */
  async subscribedExpression(groupId: string, memberId: string, principal: string): Promise<string | null | undefined> {
    return (await this.#groups.of(groupId, principal)).get(memberId)
  }

  close(): void {
    this.#isClosed = true
    this.#groups.close()
    void this.#asked?.then(({ questions }) => questions.close()).catch(() => undefined)
    this.#asked = undefined
  }

  /** One part after the other: what others ask meanwhile waits for one of them at most. */
  async #inParts(asked: readonly string[], toTopic: (asked: string) => MetadataRequestTopic) {
    const found: NamedTopic[] = []
    for (let at = 0; at < asked.length; at += partLength) {
      for (const topic of await this.#metadata(asked.slice(at, at + partLength).map(toTopic))) found.push(topic)
    }
    return found
  }

  #metadata(topics: MetadataRequestTopic[] | null): Promise<readonly NamedTopic[]> {
    return this.#try(async ({ questions, versions }) => {
      const version = versions.get(ApiKey.Metadata) ?? 0
      const asksById = topics?.some(({ name }) => name === null) ?? false
      // A broker that cannot be asked by id does not tell clients any either.
      if (version < (asksById ? idsFrom : creationFlagFrom)) return []
      const request: RequestByKey[typeof ApiKey.Metadata] = { ...quiet, topics }
      const { topics: told } = await questions.ask(ApiKey.Metadata, version, request)
      return existingIn(told)
    })
  }

  async #try<T>(ask: (asked: Asked) => Promise<T>): Promise<T> {
    const first = this.#connected()
    try {
      return await ask(await first)
    } catch (error) {
      if (!(await this.#isLost(first))) throw error
    }
    const second = this.#connected()
    try {
      return await ask(await second)
    } catch (error) {
      await this.#isLost(second)
      throw error
    }
  }

  /**
   * Whether the connection came to nothing, so that another one may do better; it is forgotten then. An answer that
   * says no or cannot be read would be the same again, and others wait for theirs on this connection.
   */
  async #isLost(asked: Promise<Asked>): Promise<boolean> {
    const isLost = await asked.then(
      ({ questions }) => questions.isClosed,
      () => true,
    )
    if (isLost && this.#asked === asked) this.#asked = undefined
    return isLost
  }

  #connected(): Promise<Asked> {
    if (this.#isClosed) return Promise.reject(stopped())
    this.#asked ??= this.#connect()
    return this.#asked
  }

  async #connect(): Promise<Asked> {
    const target = this.#nextTarget()
    const questions = await this.#options.connect(target)
    try {
      const { apiKeys } = await questions.ask(ApiKey.ApiVersions, 0, apiVersionsRequest)
      const newest = apiKeys.flatMap(({ apiKey, maxVersion }): [number, number][] => {
        const ours = newestOf[apiKey]
        return ours === undefined ? [] : [[apiKey, Math.min(maxVersion, ours)]]
      })
      return { questions, target, versions: new Map(newest) }
    } catch (error) {
      questions.close()
      throw error
    }
  }

  #nextTarget(): HostAndPort {
    const { view, bootstrap } = this.#options
    const known: readonly HostAndPort[] = [...(view.snapshot?.brokers.values() ?? [])]
    const targets = known.length > 0 ? known : bootstrap
    return targets[this.#turn++ % targets.length] as HostAndPort
  }

  #nodeAt({ host, port }: HostAndPort): number | undefined {
    const brokers = [...(this.#options.view.snapshot?.brokers.values() ?? [])]
    return brokers.find(broker => broker.host === host && broker.port === port)?.nodeId
  }
}

/** Topics in one question: some milliseconds of a broker's time, and of ours. */
const partLength = 1000
const brokerResource = 4
const creationSetting = 'auto.create.topics.enable'
/** Versions that say "do not create", and that ask by id. */
const creationFlagFrom = 4
const idsFrom = 12
const newestOf: Readonly<Record<number, number>> = {
  [ApiKey.Metadata]: 12,
  [ApiKey.DescribeConfigs]: 4,
  [ApiKey.FindCoordinator]: 3,
}
const groupCoordinator = 0

const quiet = {
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

async function coordinatorOf({ questions, versions }: Asked, groupId: string): Promise<HostAndPort> {
  const version = versions.get(ApiKey.FindCoordinator)
  if (version === undefined) throw unanswered('FindCoordinator')
  const { errorCode, host, port } = await questions.ask(ApiKey.FindCoordinator, version, {
    key: groupId,
    keyType: groupCoordinator,
    coordinatorKeys: [],
  })
  if (errorCode !== ErrorCode.NONE) throw unanswered('FindCoordinator')
  return { host, port }
}
