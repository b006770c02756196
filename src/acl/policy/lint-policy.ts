/** Everything there is to say about a model and its rules: errors, which refuse them, and warnings. */
import { PolicyError } from '../../errors.ts'
import { loadPolicy, type PolicySources, readRules, runAtOnce } from './compile-policy.ts'
import type { Finding, RulesFile } from './rules-file.ts'
import { recogniseModel, type ShippedModel } from './shipped-models.ts'
import { warningsOf } from './warnings.ts'

export interface LintReport {
  readonly findings: readonly Finding[]
  /** `own`: casbin runs it. */
  readonly model: ShippedModel | 'own'
  readonly rules: number
  readonly roles: number
}

export async function lintPolicy({ model, rules }: PolicySources): Promise<LintReport> {
  const shipped = recogniseModel(model.text)
  if (shipped === undefined) return lintOwnModel({ model, rules })
  const { findings, ...ruleSet } = runAtOnce(readRules(rules, shipped))
  const roles = new Set(ruleSet.links.map(({ role }) => role)).size
  return { findings: [...findings, ...warningsOf(ruleSet)], model: shipped, rules: ruleSet.rules.length, roles }
}

/** What its rules mean is the model's business: they are loaded, and what keeps them from it is told. */
async function lintOwnModel(sources: PolicySources): Promise<LintReport> {
  const report = { model: 'own', rules: 0, roles: 0 } as const
  try {
    await loadPolicy({ ...sources, ...unused })
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return { ...report, findings: error.problems.map(({ path, message }) => errorAt(path, message)) }
  }
  return { ...report, findings: warningsOfModel(sources.model) }
}

const unused = { generation: 0, superUsers: [], onError: () => {}, knownNames: () => [], pause: async () => {} }

/** `path` is `file:line`. */
function errorAt(path: string, message: string): Finding {
  const colon = path.lastIndexOf(':')
  return { severity: 'error', file: path.slice(0, colon), line: Number(path.slice(colon + 1)), message }
}

function warningsOfModel({ path, text }: RulesFile): Finding[] {
  const effect = text.split(/\r?\n/).findIndex(line => /^\s*e\s*=\s*!\s*some\(/.test(line))
  if (effect === -1) return []
  const message =
    'this effect allows what no rule denies: write e = some(where (p.eft == allow)) && !some(where (p.eft == deny)) unless you mean it'
  return [{ severity: 'warning', file: path, line: effect + 1, message }]
}
