/** One cluster's policies at work: the policy in force, what has to be known of the cluster to apply it, and the stage. */
import { createAcl, enforcements } from '../acl/acl.ts'
import type { AclFacts, Enforcement } from '../acl/enforcement.ts'
import { refusalsOf } from '../acl/refusals.ts'
import type { SessionRoom } from '../acl/session-room.ts'
import type { PolicyConfig } from '../config/config.ts'
import type { Stage } from '../pipeline/stage.ts'
import { allApis } from '../protocol/api-table.ts'
import type { AuditLog } from '../telemetry/audit-log.ts'
import type { StrangerLog } from '../telemetry/flood-log.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { TopicCatalog } from '../topology/topic-catalog.ts'
import type { ClusterQuestions } from '../upstream/cluster-questions.ts'
import { createDecisionLog, type DecisionCounts } from './decisions.ts'
import { PolicyInForce } from './policy-in-force.ts'
import { shortTurns } from './short-turns.ts'

export interface ClusterAclOptions {
  readonly cluster: string
  readonly config: PolicyConfig
  readonly questions: ClusterQuestions
  readonly counts: DecisionCounts
  readonly audit: AuditLog
  readonly auditsAllows: boolean
  readonly mayDecide: () => boolean
  readonly sessionRoom: SessionRoom
  readonly log: Logger
  readonly strangers: StrangerLog
  readonly metrics: Metrics
  readonly now: () => number
}

/** Whether brokers create topics by being asked is looked up this often: somebody may restart them with another setting. */
const settingMs = 60_000

export class ClusterAcl {
  readonly policy: PolicyInForce
  /** Client APIs that nobody may use, whatever a listener's logins are. */
  readonly refusedKeys: ReadonlySet<number>
  readonly #options: ClusterAclOptions
  readonly #facts: AclFacts
  readonly #rows: ReadonlyMap<number, Enforcement>
  #rowsAgain: ReadonlyMap<number, Enforcement> | undefined
  readonly #timer: NodeJS.Timeout
  #autoCreatesTopics = true

  private constructor(options: ClusterAclOptions, policy: PolicyInForce, topics: TopicCatalog) {
    this.policy = policy
    this.#options = options
    const { keys, refuses } = refusalsOf(options.config.refuse)
    this.#facts = {
      topics,
      autoCreatesTopics: () => this.#autoCreatesTopics,
      refuses,
      sessionRoom: options.sessionRoom,
      subscribedExpression: (...asked) => options.questions.subscribedExpression(...asked),
      pause: shortTurns(),
    }
    this.#rows = enforcements(this.#facts)
    // What has no row is not served, whatever the list says.
    const rowless = allApis.map(({ key }) => key).filter(key => !this.#rows.has(key))
    this.refusedKeys = new Set([...keys, ...rowless])
    this.#timer = setInterval(() => void this.lookUpSetting(), settingMs)
    this.#timer.unref()
  }

  /** Rejects with a PolicyError where there is no policy to begin with. */
  static async open(options: ClusterAclOptions): Promise<ClusterAcl> {
    const { cluster, config, questions, strangers, metrics, now } = options
    const topics = new TopicCatalog({ questions, now })
    const knownNames = (type: string): Iterable<string> => (type === 'topic' ? topics.names() : [])
    const policy = await PolicyInForce.load({ cluster, config, knownNames, strangers, metrics })
    return new ClusterAcl(options, policy, topics)
  }

  stage(): Stage {
    return this.#stageOf(this.#rows)
  }

  /** For what interceptors made of requests. It remembers sessions and members by itself: there they may be other ones. */
  stageAgain(): Stage {
    this.#rowsAgain ??= enforcements(this.#facts)
    return this.#stageOf(this.#rowsAgain)
  }

  #stageOf(rows: ReadonlyMap<number, Enforcement>): Stage {
    const { cluster, config, counts, audit, auditsAllows, mayDecide } = this.#options
    return createAcl({
      rows,
      policies: () => this.policy.current,
      log: createDecisionLog({ cluster, counts, audit, auditsAllows }),
      isEnforcing: config.mode === 'enforce',
      mayDecide,
    })
  }

  close(): void {
    clearInterval(this.#timer)
    this.#options.questions.close()
  }

  /** Whether brokers create topics that are asked for. Without an answer the setting stays what it was: true, the stricter, to begin with. */
  async lookUpSetting(): Promise<void> {
    try {
      this.#autoCreatesTopics = (await this.#options.questions.autoCreatesTopics()) ?? this.#autoCreatesTopics
    } catch (err) {
      this.#options.log.debug({ err }, 'whether brokers create topics could not be asked')
    }
  }
}
