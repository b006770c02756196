/** Which policies a command looks at: `--model M --rules R`, or `--config F` for those that a gateway would use. */
import { readFile } from 'node:fs/promises'
import type { PolicySources } from '../acl/policy/compile-policy.ts'
import type { PolicyOptions } from '../acl/policy/indexed-policy.ts'
import type { RulesFile } from '../acl/policy/rules-file.ts'
import type { ClusterConfig, Config, PolicyConfig } from '../config/config.ts'
import { loadConfig } from '../config/load-config.ts'
import { textOf } from '../config/policy-section.ts'
import { UsageError, VkitmError } from '../errors.ts'

export const configOptions = {
  config: { type: 'string', short: 'c' },
  cluster: { type: 'string' },
} as const

export const sourceOptions = {
  ...configOptions,
  model: { type: 'string' },
  rules: { type: 'string', multiple: true },
  'super-user': { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const

export const sourceHelp = `  --config FILE      the policy that a gateway with this configuration uses, super users included
  --cluster NAME     of this cluster, where the configuration has several
  --model FILE       or: the model: policies/model.conf, or one of your own
  --rules FILE       and the rules; may be given several times
  --super-user NAME  a principal that may do everything: User:admin
  --json             for scripts`

export interface ConfigValues {
  readonly config?: string | undefined
  readonly cluster?: string | undefined
}

export interface SourceValues extends ConfigValues {
  readonly model?: string | undefined
  readonly rules?: string[] | undefined
  readonly 'super-user'?: string[] | undefined
}

export interface WholePolicy extends PolicySources, Pick<PolicyOptions, 'superUsers' | 'internalTopics'> {
  /** Where a configuration names it: the cluster. */
  readonly cluster?: string
}

/** The one policy that is meant. */
export async function readSources(values: SourceValues): Promise<WholePolicy> {
  const { model, rules = [], 'super-user': superUsers = [] } = values
  if (values.config !== undefined) return policyOf(await clusterIn(values.config, values), values)
  if (model === undefined || rules.length === 0)
    throw new UsageError('name the policy: --config FILE, or --model FILE --rules FILE')
  if (values.cluster !== undefined) throw new UsageError('--cluster goes with --config')
  const [modelFile, ...ruleFiles] = await Promise.all([model, ...rules].map(readRulesText))
  return { model: modelFile!, rules: ruleFiles, superUsers }
}

/** Every policy that is meant: a configuration may have one for each cluster, and rules that are only tried. */
export async function readAllSources(values: SourceValues): Promise<readonly WholePolicy[]> {
  if (values.config === undefined) return [await readSources(values)]
  const { clusters } = await loadConfig(values.config)
  const meant = values.cluster === undefined ? clusters : [clusterNamed(clusters, values.cluster, values.config)]
  const found = meant.flatMap(cluster => (cluster.policy === 'none' ? [] : [policyOf(cluster, values)]))
  const tried = meant.flatMap(({ name, policy }) =>
    policy === 'none' || policy.shadowRules === undefined
      ? []
      : [{ ...asPolicy(name, { ...policy, rules: policy.shadowRules }, []), cluster: `${name}, shadowRules` }],
  )
  if (found.length > 0) return [...found, ...tried]
  throw new VkitmError('VKITM_POLICY', `${values.config} names no policy to look at: it says policy: none`)
}

/** The only cluster of a configuration, or the one that is named. */
export async function clusterIn(config: string, values: ConfigValues): Promise<ClusterConfig> {
  return clusterOf(await loadConfig(config), config, values)
}

export function clusterOf({ clusters }: Config, config: string, { cluster }: ConfigValues): ClusterConfig {
  if (cluster !== undefined) return clusterNamed(clusters, cluster, config)
  if (clusters.length === 1) return clusters[0]!
  throw new UsageError(`${config} has several clusters: add --cluster ${clusters.map(({ name }) => name).join(' or ')}`)
}

function clusterNamed(clusters: readonly ClusterConfig[], name: string, config: string): ClusterConfig {
  const found = clusters.find(cluster => cluster.name === name)
  if (found !== undefined) return found
  throw new UsageError(`${config} has no cluster ${name}: write ${clusters.map(({ name }) => name).join(' or ')}`)
}

function policyOf({ name, policy }: ClusterConfig, values: SourceValues): WholePolicy {
  if (values.model !== undefined || values.rules !== undefined)
    throw new UsageError('--config names model and rules already: leave --model and --rules out')
  if (policy !== 'none') return asPolicy(name, policy, values['super-user'] ?? [])
  throw new VkitmError('VKITM_POLICY', `cluster ${name} has policy: none, so there is nothing to look at`)
}

const asPolicy = (cluster: string, policy: PolicyConfig, superUsers: readonly string[]): WholePolicy => ({
  cluster,
  model: textOf(policy.model),
  rules: [textOf(policy.rules)],
  superUsers: [...policy.superUsers, ...superUsers],
  internalTopics: policy.internalTopics,
})

export async function readRulesText(path: string): Promise<RulesFile> {
  try {
    return { path, text: await readFile(path, 'utf8') }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new VkitmError('VKITM_POLICY', `${path} cannot be read: ${why}`, { cause })
  }
}
