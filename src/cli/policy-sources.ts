/** `--model M --rules R`: the files that the policy commands look at. */
import { readFile } from 'node:fs/promises'
import type { PolicySources } from '../acl/policy/compile-policy.ts'
import type { RulesFile } from '../acl/policy/rules-file.ts'
import { UsageError, VkitmError } from '../errors.ts'

export const sourceOptions = {
  model: { type: 'string' },
  rules: { type: 'string', multiple: true },
  'super-user': { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const

export const sourceHelp = `  --model FILE       the model: policies/model.conf, or one of your own
  --rules FILE       the rules; may be given several times
  --super-user NAME  a principal that may do everything: User:admin
  --json             for scripts`

export interface SourceValues {
  readonly model?: string | undefined
  readonly rules?: string[] | undefined
  readonly 'super-user'?: string[] | undefined
}

export async function readSources({ model, rules = [] }: SourceValues): Promise<PolicySources> {
  if (model === undefined || rules.length === 0) throw new UsageError('name the policy: --model FILE --rules FILE')
  const [modelFile, ...ruleFiles] = await Promise.all([model, ...rules].map(readRulesText))
  return { model: modelFile!, rules: ruleFiles }
}

async function readRulesText(path: string): Promise<RulesFile> {
  try {
    return { path, text: await readFile(path, 'utf8') }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new VkitmError('VKITM_POLICY', `${path} cannot be read: ${why}`, { cause })
  }
}
