/**
 * A policy that casbin itself decides: a model of the user's own, and the shipped models where the index is held against them.
 * It asks every rule, some microseconds each, so decisions are remembered. Implications and super users apart, what a rule means
 * is the model's business.
 */
import { type Adapter, Enforcer, type Model, newModelFromString } from 'casbin'
import { LRUCache } from 'lru-cache'
import { PolicyError, type Problem } from '../../errors.ts'
import { apiKeyOf } from '../../protocol/api-key.ts'
import { isTopicOfBrokers } from '../topic-names.ts'
import type { PolicyOptions } from './indexed-policy.ts'
import { createKafkaFunctions } from './kafka-functions.ts'
import type { Policy, Question, ResourceType, RuleOrigin, Subject, Verdict } from './policy.ts'
import { createMatchFunctions } from './re2-functions.ts'
import type { Row, RulesFile } from './rules-file.ts'
import { defaultVerdict, failed, superUserVerdict } from './verdicts.ts'
import { isOperation, isResourceType } from './vocabulary.ts'

export interface CasbinPolicyOptions extends PolicyOptions {
  readonly model: RulesFile
  readonly rows: readonly Row[]
  /** Every name of the type that there is, as far as the gateway knows: `decideAny` asks about each. */
  readonly knownNames: (type: ResourceType) => Iterable<string>
  /** Makes way for others where it is time to. */
  readonly pause: () => Promise<void> | undefined
}

const valuesByName = new Map<string, (subject: Subject, question: Question) => string>([
  ['sub', ({ principal }) => principal],
  ['type', (_, { type }) => type],
  ['name', (_, { name }) => name],
  ['api', (_, { api }) => api],
  ['op', (_, { operation }) => operation],
  ['host', ({ host }) => host],
  ['listener', ({ listener }) => listener],
  ['clientId', ({ clientId }) => clientId],
])

const VERDICTS_MAX = 100_000
/** Together with the names of the question: 32 KB each would fill the memory. */
const KEY_CHARS_MAX = 1_024
const ROWS_PER_SLICE = 50
/** For decideAny, rules times names: about half a second. Beyond it the answer is a denial. */
const ASKED_MAX = 200_000

export async function createCasbinPolicy(options: CasbinPolicyOptions): Promise<Policy> {
  const { path } = options.model
  const model = attempt(path, () => newModelFromString(options.model.text.replace(/^\uFEFF/, '')))
  const columns = attempt(path, () => requestColumns(model))
  const enforcer = new GatewayEnforcer()
  await enforcer.initWithModelAndAdapter(model, undefined as never, true)
  const policy = new CasbinPolicy(enforcer, columns, options)
  await policy.load()
  return policy
}

/** What casbin and our own checks say of a model is the user's to read. */
function attempt<Result>(path: string, step: () => Result): Result {
  try {
    return step()
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new PolicyError([{ path: `${path}:0`, message }], { cause })
  }
}

/** The names in `r = …`, in their order. */
function requestColumns(model: Model): readonly string[] {
  const definition = model.model.get('r')?.get('r')
  if (definition === undefined) throw new Error('has no [request_definition]: write r = sub, type, name, api, op')
  const names = definition.tokens.map(token => token.replace(/^r_/, ''))
  const unknown = names.filter(name => !valuesByName.has(name))
  if (unknown.length > 0)
    throw new Error(
      `asks for ${unknown.join(', ')} in its request_definition; known are ${[...valuesByName.keys()].join(', ')}`,
    )
  return names
}

/** casbin's own functions cannot be replaced from outside: its addFunction keeps the first of a name. */
class GatewayEnforcer extends Enforcer {
  replaceFunctions(functions: ReadonlyMap<string, (...args: unknown[]) => unknown>): void {
    for (const [name, call] of functions) this.fm.getFunctions().set(name, call)
  }
}

class CasbinPolicy implements Policy {
  readonly generation: number
  /** The model may look at anything. */
  readonly dependsOnMoreThanPrincipal = true
  readonly #enforcer: GatewayEnforcer
  readonly #columns: readonly string[]
  readonly #options: CasbinPolicyOptions
  readonly #superUsers: ReadonlySet<string>
  readonly #verdicts = new LRUCache<string, Verdict>({ max: VERDICTS_MAX })
  /** By the very array that casbin was given, and gives back. */
  readonly #origins = new Map<readonly string[], { readonly allow: Verdict; readonly deny: Verdict }>()
  readonly #namesInternal: boolean
  #asking: Question | undefined

  constructor(enforcer: GatewayEnforcer, columns: readonly string[], options: CasbinPolicyOptions) {
    this.generation = options.generation
    this.#enforcer = enforcer
    this.#columns = columns
    this.#options = options
    this.#superUsers = new Set(options.superUsers)
    this.#namesInternal = (options.internalTopics ?? 'named') === 'named'
    enforcer.replaceFunctions(createMatchFunctions())
    enforcer.replaceFunctions(createKafkaFunctions(() => this.#asking!))
  }

  async load(): Promise<void> {
    const { rows, pause } = this.#options
    const problems: Problem[] = []
    const adapter: Adapter = {
      ...readOnly,
      loadPolicy: async model => {
        for (const [number, row] of rows.entries()) {
          const problem = this.#addRow(model, row)
          if (problem !== undefined) problems.push({ path: `${row.origin.file}:${row.origin.line}`, message: problem })
          if (number % ROWS_PER_SLICE === ROWS_PER_SLICE - 1) await pause()
        }
      },
    }
    this.#enforcer.setAdapter(adapter)
    await this.#enforcer.loadPolicy()
    if (problems.length > 0) throw new PolicyError(problems)
    await pause()
    attempt(this.#options.model.path, () => this.#decide(probe.subject, probe.question))
  }

  /** Every row has all its fields: casbin would take one without an effect for an allow. */
  #addRow(model: Model, { key, fields, origin }: Row): string | undefined {
    const definition = model.model.get(key.slice(0, 1))?.get(key)
    if (definition === undefined || !/^[pg]/.test(key)) return `the model defines no "${key}": write p or g as it does`
    const isRole = key.startsWith('g')
    const columns = isRole ? Array.from(definition.value.matchAll(/_/g), () => '_') : definition.tokens
    if (fields.length !== columns.length)
      return `${key} has ${columns.length} fields in the model, this line ${fields.length}: ${key} = ${definition.value}`
    const effect = fields[definition.tokens.indexOf(`${key}_eft`)]
    if (effect !== undefined && effect !== 'allow' && effect !== 'deny')
      return `"${effect}" is no effect: write allow or deny`
    const row = [...fields]
    definition.policy.push(row)
    if (!isRole) this.#origins.set(row, verdictsOf(origin))
    return undefined
  }

  decide(subject: Subject, question: Question): Verdict {
    try {
      return this.#superUsers.has(subject.principal) ? superUserVerdict : this.#decide(subject, question)
    } catch (error) {
      return failed(this.#options.onError, error, { subject, question })
    }
  }

  decideAny(subject: Subject, question: Omit<Question, 'name'>): Verdict {
    try {
      if (this.#superUsers.has(subject.principal)) return superUserVerdict
      let left = ASKED_MAX
      for (const name of this.#options.knownNames(question.type)) {
        left -= 1 + this.#options.rows.length
        if (left < 0) break
        const verdict = this.#decide(subject, { ...question, name })
        if (verdict.allowed) return verdict
      }
      return defaultVerdict
    } catch (error) {
      return failed(this.#options.onError, error, { subject, question })
    }
  }

  #decide(subject: Subject, question: Question): Verdict {
    const { api, operation, type, secondary = false } = question
    if (!isOperation(operation) || !isResourceType(type) || apiKeyOf(api) === undefined)
      throw new Error(`no policy answers ${api} ${operation} ${type}: one of these is unknown`)
    const values = this.#columns.map(column => valuesByName.get(column)!(subject, question))
    // Names hold any character: JSON tells ["a","b"] from ["a,b"]. An API's rules may count or not with `secondary`.
    const key = JSON.stringify([secondary, api, operation, type, ...values])
    const known = this.#verdicts.get(key)
    if (known !== undefined) return known
    const verdict = this.#enforce(values, question)
    if (key.length <= KEY_CHARS_MAX) this.#verdicts.set(key, verdict)
    return verdict
  }

  mustBeNamed(topic: string): boolean {
    return this.#namesInternal && isTopicOfBrokers(topic)
  }

  #enforce(values: readonly string[], question: Question): Verdict {
    this.#asking = question
    const [allowed, row] = this.#enforcer.enforceExSync(...values)
    const verdicts = this.#origins.get(row)
    // By the row that decides: what a name means in others is the model's business.
    if (allowed && question.type === 'topic' && this.mustBeNamed(question.name) && !row.includes(question.name))
      return defaultVerdict
    if (allowed) return verdicts?.allow ?? allowedByModel
    return verdicts?.deny ?? defaultVerdict
  }
}

/** Asked once at load, so that a matcher that cannot be evaluated is the user's to read and not a denial of everything. */
const probe: { readonly subject: Subject; readonly question: Question } = {
  subject: { principal: 'User:ANONYMOUS', host: '127.0.0.1', listener: '', clientId: '' },
  question: { api: 'Metadata', operation: 'describe', type: 'topic', name: 'vkitm' },
}

/** For a model that allows without a rule. */
const allowedByModel: Verdict = Object.freeze({ allowed: true, why: 'rule' })

function verdictsOf(origin: RuleOrigin): { readonly allow: Verdict; readonly deny: Verdict } {
  const rule = Object.freeze(origin)
  return {
    allow: Object.freeze({ allowed: true, rule, why: 'rule' }),
    deny: Object.freeze({ allowed: false, rule, why: 'rule' }),
  }
}

const refuse = (): never => {
  throw new Error('rules come from files and are not written back')
}
const readOnly = { savePolicy: refuse, addPolicy: refuse, removePolicy: refuse, removeFilteredPolicy: refuse }
