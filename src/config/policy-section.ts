/** Who may do what: a model, its rules, and how they are applied. */
import { loadPolicy } from '../acl/policy/compile-policy.ts'
import { refusalProblems } from '../acl/refusals.ts'
import { closest } from '../closest.ts'
import { PolicyError } from '../errors.ts'
import type { FileContent, PolicyConfig } from './config.ts'
import { choice, listOf, text } from './formats.ts'
import { type Format, isMapping, optional, required, section, withDefault } from './section.ts'
import { fileNamed } from './tls-files.ts'

const principal: Format<string> = {
  name: 'User:name',
  read(value, place) {
    const read = text.read(value, place)
    if (read === undefined || /^User:./.test(read)) return read
    return place.problem(`${place.shown(read)} is no principal: write User:${read}`)
  },
}

const refusals: Format<readonly string[]> = {
  ...listOf(text, { min: 0 }),
  read(value, place) {
    const entries = listOf(text, { min: 0 }).read(value, place)
    for (const problem of refusalProblems(entries ?? [], closest)) place.problem(problem)
    return entries
  },
}

const policyFiles: Format<PolicyConfig> = section(
  {
    model: required('The casbin model: one that vkitm ships, or your own.', fileNamed('model'), 'write a model file'),
    rules: required('The rules, one per line.', fileNamed('rules'), 'write a file of rules'),
    mode: withDefault(
      'enforce; or audit, which lets everything pass and writes down what it would have denied.',
      choice(['enforce', 'audit']),
      'enforce',
    ),
    superUsers: withDefault('Who may do everything the gateway serves.', listOf(principal, { min: 0 }), []),
    internalTopics: withDefault(
      'named: a prefix or an expression allows nothing in __consumer_offsets and the like, a rule has to name them; judged: as in Kafka.',
      choice(['named', 'judged']),
      'named',
    ),
    refuse: optional(
      'APIs closed whatever the rules say, or one kind of resource of an API (DescribeConfigs:broker). Default: the list in SECURITY.md.',
      refusals,
    ),
    shadowRules: optional(
      'Rules that are tried beside those in force; where they differ is written down.',
      fileNamed('rules'),
    ),
  },
  {
    build({ refuse, shadowRules, ...read }, place) {
      const { files } = place.reading
      const prove = (rules: FileContent) => () => proven({ model: read.model, rules })
      files.expect([read.model, read.rules], place, prove(read.rules))
      if (shadowRules !== undefined)
        files.expect([read.model, shadowRules], place.key('shadowRules'), prove(shadowRules))
      if (read.mode === 'audit') place.key('mode').warning('is audit: what the rules deny is written down and passes')
      return {
        ...read,
        ...(refuse === undefined ? {} : { refuse }),
        ...(shadowRules === undefined ? {} : { shadowRules }),
      }
    },
  },
)

/** Loads it once, to tell what is wrong with it before anything starts. */
async function proven({ model, rules }: Pick<PolicyConfig, 'model' | 'rules'>): Promise<void> {
  await loadPolicy({
    model: textOf(model),
    rules: [textOf(rules)],
    superUsers: [],
    generation: 0,
    onError: () => undefined,
    pause: async () => undefined,
    knownNames: () => [],
  })
}

export function textOf({ path, content }: FileContent): { readonly path: string; readonly text: string } {
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(content) }
  } catch {
    throw new PolicyError([{ path, message: 'is not UTF-8: save it as UTF-8' }])
  }
}

export const policy: Format<PolicyConfig | 'none'> = {
  ...policyFiles,
  name: 'section, or none',
  read(value, place) {
    if (value === 'none') {
      place.warning("is none: only the brokers' own ACLs apply")
      return 'none'
    }
    if (isMapping(value)) return policyFiles.read(value, place)
    return place.problem(
      `is ${place.shown(value)}: write model and rules, or policy: none to let only the brokers' own ACLs decide`,
    )
  },
}
