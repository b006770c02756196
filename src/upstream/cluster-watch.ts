/**
 * Keeps a ClusterView true: asks one broker after another for the brokers of the cluster, every few seconds and as soon
 * as somebody has a reason to, and starts over with the next address whenever one fails.
 */
import { UpstreamError } from '../errors.ts'
import { ApiKey } from '../protocol/api-key.ts'
import type { MetadataResponse } from '../protocol/generated/metadata-response.ts'
import type { BrokerVersions, ClusterSnapshot, ClusterView } from '../topology/cluster-view.ts'
import type { HostAndPort } from './dialer.ts'

/** Fits BrokerRequests. */
export interface Questions {
  ask: import('./broker-requests.ts').BrokerRequests['ask']
  /** The connection is of no use any more. */
  readonly isClosed: boolean
  close(): void
}

export interface ClusterWatchOptions {
  readonly view: ClusterView
  readonly bootstrap: readonly HostAndPort[]
  readonly connect: (target: HostAndPort) => Promise<Questions>
  readonly refreshMs: number
  readonly onFailed: (error: unknown, target: HostAndPort) => void
  readonly onRecovered: () => void
}

const backoffMs = { first: 200, max: 5_000 }

export class ClusterWatch {
  readonly #options: ClusterWatchOptions
  #questions: Questions | undefined
  /** Who is asked, for as long as it answers. */
  #target: HostAndPort | undefined
  #metadataVersion = 1
  #timer: NodeJS.Timeout | undefined
  #isAsking = false
  #isStopped = false
  #failures = 0
  #nextAddress = 0
  #lastFailure: unknown

  constructor(options: ClusterWatchOptions) {
    this.#options = options
  }

  /** Why the last try failed; undefined while a broker answers. */
  get failure(): unknown {
    return this.#lastFailure
  }

  start(): void {
    this.refreshSoon()
  }

  /** Somebody saw what does not fit the view: asks again now instead of at the next turn. */
  refreshSoon(): void {
    // While brokers fail, the back-off decides when to knock again.
    if (this.#isStopped || this.#isAsking || this.#failures > 0) return
    clearTimeout(this.#timer)
    void this.#turn()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#questions?.close()
  }

  async #turn(): Promise<void> {
    this.#isAsking = true
    this.#target ??= this.#nextTarget()
    const target = this.#target
    try {
      this.#questions ??= await this.#connect(target)
      // Stopped while it connected: there was nothing to close then.
      if (this.#isStopped) return this.#questions.close()
      this.#learn(await this.#metadata(this.#questions))
      this.#succeeded()
    } catch (error) {
      this.#failed(error, target)
    } finally {
      this.#isAsking = false
    }
    if (!this.#isStopped) this.#timer = setTimeout(() => void this.#turn(), this.#waitMs())
  }

  async #connect(target: HostAndPort): Promise<Questions> {
    const questions = await this.#options.connect(target)
    try {
      const versions = await askVersions(questions)
      this.#metadataVersion = metadataVersionOf(versions)
      this.#options.view.versions = versions
      return questions
    } catch (error) {
      questions.close()
      throw error
    }
  }

  #metadata(questions: Questions): Promise<MetadataResponse> {
    // Versions below 4 cannot say no; without a topic in the list there is nothing to create.
    const allowAutoTopicCreation = this.#metadataVersion < 4
    return questions.ask(ApiKey.Metadata, this.#metadataVersion, { ...noTopics, allowAutoTopicCreation })
  }

  #learn({ brokers, clusterId }: MetadataResponse): void {
    if (this.#isStopped) return
    // A broker that has not heard from its controller yet knows nobody: no news.
    if (brokers.length === 0)
      throw new UpstreamError('VKITM_UPSTREAM_EMPTY', 'the broker knows no brokers yet', { retriable: true })
    const byId: ClusterSnapshot['brokers'] = new Map(
      brokers.map(({ nodeId, host, port, rack }) => [nodeId, { nodeId, host, port, rack }]),
    )
    this.#options.view.replace({ clusterId, brokers: byId })
  }

  /** Bootstrap addresses and known brokers in turn, so that neither a moved nor a dead one is asked for ever. */
  #nextTarget(): HostAndPort {
    const known = [...(this.#options.view.snapshot?.brokers.values() ?? [])]
    const targets = [...known, ...this.#options.bootstrap]
    return targets[this.#nextAddress % targets.length] as HostAndPort
  }

  #succeeded(): void {
    if (this.#lastFailure !== undefined) this.#options.onRecovered()
    this.#lastFailure = undefined
    this.#failures = 0
  }

  #failed(error: unknown, target: HostAndPort): void {
    this.#questions?.close()
    this.#questions = undefined
    this.#target = undefined
    if (this.#isStopped) return
    this.#nextAddress++
    this.#failures++
    this.#lastFailure = error
    this.#options.onFailed(error, target)
  }

  #waitMs(): number {
    if (this.#failures === 0) return this.#options.refreshMs
    // Every address once without delay, then slower and slower.
    const rounds = Math.floor(this.#failures / Math.max(1, this.#options.bootstrap.length))
    if (rounds === 0) return 0
    return Math.min(backoffMs.max, backoffMs.first * 2 ** Math.min(rounds - 1, 10))
  }
}

/** Version 0 of ApiVersions is understood by every broker; one that serves version 3 tells its features, too. */
async function askVersions(questions: Questions): Promise<BrokerVersions> {
  const plain = await questions.ask(ApiKey.ApiVersions, 0, apiVersionsRequest)
  const ours = plain.apiKeys.find(({ apiKey }) => apiKey === ApiKey.ApiVersions)
  if (ours === undefined || ours.maxVersion < 3) return plain
  return questions.ask(ApiKey.ApiVersions, Math.min(ours.maxVersion, 4), apiVersionsRequest)
}

function metadataVersionOf({ apiKeys }: BrokerVersions): number {
  const metadata = apiKeys.find(({ apiKey }) => apiKey === ApiKey.Metadata)
  if (metadata !== undefined && metadata.maxVersion >= 1) return Math.min(metadata.maxVersion, newestMetadataVersion)
  throw new UpstreamError('VKITM_UPSTREAM_TOO_OLD', 'the broker does not serve Metadata version 1', {
    retriable: false,
  })
}

/** By id arrives with 12, which we do not need; 13 adds a top-level error for re-bootstrapping clients. */
const newestMetadataVersion = 12

/** KIP-511: brokers refuse an empty name. */
export const apiVersionsRequest = {
  clientSoftwareName: 'vkitm',
  clientSoftwareVersion: '1',
  clusterId: null,
  nodeId: -1,
}

/** From version 1 on an empty list asks for no topic at all. */
const noTopics = {
  topics: [],
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}
