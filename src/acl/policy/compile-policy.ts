/**
 * From a model and rules files to a policy. Each step is a generator that yields several times a millisecond: run at once in a
 * worker thread or a command, in slices on an event loop that has others to serve.
 */
import { PolicyError } from '../../errors.ts'
import { checkRows } from './check-rows.ts'
import { IndexedPolicy, type PolicyOptions } from './indexed-policy.ts'
import { type PackedRules, packRules, unpackRules } from './packed-rules.ts'
import type { Policy, ResourceType } from './policy.ts'
import type { RuleSet } from './rule.ts'
import { type FileRows, type Finding, type Row, type RulesFile, readRulesFile } from './rules-file.ts'
import { recogniseModel, type ShippedModel } from './shipped-models.ts'

export interface PolicySources {
  readonly model: RulesFile
  readonly rules: readonly RulesFile[]
}

export interface CompileOptions extends PolicySources, PolicyOptions {}

/** Everything at once, for a shipped model. Throws a PolicyError with every problem. */
export function compilePolicy(options: CompileOptions): Policy {
  return runAtOnce(compileInSteps(options))
}

export function* compileInSteps({ model, rules, ...options }: CompileOptions): Generator<void, Policy, void> {
  return yield* IndexedPolicy.build(yield* readGoodRules({ model, rules }), options)
}

/** The half of the work that another thread can do, for a shipped model. Throws a PolicyError with every problem. */
export function packSources(sources: PolicySources): PackedRules {
  return packRules(runAtOnce(readGoodRules(sources)))
}

function* readGoodRules({ model, rules }: PolicySources): Generator<void, RuleSet, void> {
  const shipped = recogniseModel(model.text)
  if (shipped === undefined) throw new Error(`${model.path} is a model of your own: loadPolicy() runs it on casbin`)
  const { findings, ...ruleSet } = yield* readRules(rules, shipped)
  refuseErrors(findings)
  return ruleSet
}

export interface LoadOptions extends CompileOptions {
  /** Makes way for others on the event loop where it is time to: asked several times a millisecond. */
  readonly pause: () => Promise<void> | undefined
  /** Reads a shipped model's rules in another thread: packSources(). Default: here, in slices. */
  readonly readElsewhere?: (sources: PolicySources) => Promise<PackedRules>
  /** What a model of the user's own is asked for "on any of this type". */
  readonly knownNames: (type: ResourceType) => Iterable<string>
}

/** Either kind of model, in slices. Rejects with a PolicyError with every problem. */
export async function loadPolicy(options: LoadOptions): Promise<Policy> {
  const { model, rules, pause, readElsewhere } = options
  if (recogniseModel(model.text) === undefined) return loadOnCasbin(options)
  if (readElsewhere === undefined) return runInSlices(compileInSteps(options), pause)
  return runInSlices(buildInSteps(await readElsewhere({ model, rules }), options), pause)
}

function* buildInSteps(packed: PackedRules, options: PolicyOptions): Generator<void, Policy, void> {
  return yield* IndexedPolicy.build(yield* unpackRules(packed), options)
}

/** casbin is loaded where somebody needs it. */
async function loadOnCasbin(options: LoadOptions): Promise<Policy> {
  const { createCasbinPolicy } = await import('./casbin-policy.ts')
  const { rows, findings } = await runInSlices(readRows(options.rules), options.pause)
  refuseErrors(findings)
  return createCasbinPolicy({ ...options, rows })
}

function* readRows(files: readonly RulesFile[]): Generator<void, FileRows, void> {
  const rows: Row[] = []
  const findings: Finding[] = []
  for (const file of files) {
    const read = yield* readRulesFile(file)
    for (const row of read.rows) rows.push(row)
    for (const finding of read.findings) findings.push(finding)
  }
  return { rows, findings }
}

export interface ReadRules extends RuleSet {
  readonly findings: readonly Finding[]
}

export function* readRules(files: readonly RulesFile[], model: ShippedModel): Generator<void, ReadRules, void> {
  const { rows, findings } = yield* readRows(files)
  const checked = yield* checkRows(rows, model)
  return { ...checked, findings: [...findings, ...checked.findings] }
}

function refuseErrors(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return
  throw new PolicyError(errors.map(({ file, line, message }) => ({ path: `${file}:${line}`, message })))
}

export function runAtOnce<Result>(steps: Generator<void, Result, void>): Result {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

async function runInSlices<Result>(steps: Generator<void, Result, void>, pause: LoadOptions['pause']): Promise<Result> {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    const others = pause()
    if (others !== undefined) await others
  }
}
