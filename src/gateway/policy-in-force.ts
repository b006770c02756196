/** One cluster's policy over time. Requests are judged by what is in force; a change is loaded beside it and swapped. */
import { loadPolicy } from '../acl/policy/compile-policy.ts'
import type { Policy, ResourceType } from '../acl/policy/policy.ts'
import type { FileContent, PolicyConfig } from '../config/config.ts'
import { textOf } from '../config/policy-section.ts'
import type { Reloadable } from '../config/reloadable.ts'
import { pathsIn, reread } from '../config/reread.ts'
import type { StrangerLog } from '../telemetry/flood-log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { readInThread } from './policy-thread.ts'
import { shortTurns } from './short-turns.ts'

export interface PolicyInForceOptions {
  readonly cluster: string
  readonly config: PolicyConfig
  /** Resources that are known to exist, for models that are not ours: they are asked one by one. */
  readonly knownNames: (type: ResourceType) => Iterable<string>
  /** What clients cause by what they ask for. */
  readonly strangers: Pick<StrangerLog, 'error'>
  readonly metrics: Pick<Metrics, 'error'>
}

export interface Policies {
  readonly inForce: Policy
  /** Tried beside the one in force. */
  readonly shadow: Policy | undefined
}

export class PolicyInForce implements Reloadable {
  readonly name: string
  readonly files: readonly string[]
  readonly #options: PolicyInForceOptions
  #current: Policies
  #generation = 1

  private constructor(options: PolicyInForceOptions, first: Policies) {
    this.name = nameOf(options)
    this.files = pathsIn(options.config)
    this.#options = options
    this.#current = first
  }

  /** Rejects with a PolicyError where there is no policy to begin with. */
  static async load(options: PolicyInForceOptions): Promise<PolicyInForce> {
    return new PolicyInForce(options, await loadBoth(options, options.config, 1))
  }

  get current(): Policies {
    return this.#current
  }

  async reload(): Promise<void> {
    const fresh = await reread(this.#options.config, this.name)
    this.#current = await loadBoth(this.#options, fresh, ++this.#generation)
  }
}

const nameOf = ({ cluster }: PolicyInForceOptions): string => `policy ${cluster}`

async function loadBoth(options: PolicyInForceOptions, config: PolicyConfig, generation: number): Promise<Policies> {
  const { model, rules, shadowRules } = config
  const inForce = await load(options, { model, rules, generation })
  const shadow = shadowRules === undefined ? undefined : await load(options, { model, rules: shadowRules, generation })
  return { inForce, shadow }
}

interface Part {
  readonly model: FileContent
  readonly rules: FileContent
  readonly generation: number
}

function load(options: PolicyInForceOptions, { model, rules, generation }: Part): Promise<Policy> {
  const { config, knownNames, strangers, metrics } = options
  return loadPolicy({
    model: textOf(model),
    rules: [textOf(rules)],
    superUsers: config.superUsers,
    internalTopics: config.internalTopics,
    generation,
    pause: shortTurns(),
    // With the first one the process has nobody to serve yet.
    ...(generation === 1 ? {} : { readElsewhere: readInThread }),
    knownNames,
    onError(err, { principal, host: client }, { api, operation, type }) {
      metrics.error('VKITM_POLICY')
      strangers.error({ client, principal, err, details: { api, operation, type } }, 'the policy failed: denied')
    },
  })
}
