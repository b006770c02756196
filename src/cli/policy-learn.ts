import { hostFor, type LearntPolicy, learn, type Suggestion } from '../acl/policy/learn.ts'
import { anyResource, Observed } from '../acl/policy/observed.ts'
import { recogniseModel, type ShippedModel } from '../acl/policy/shipped-models.ts'
import { UsageError, VkitmError } from '../errors.ts'
import { type BadLine, type ReadRecord, readAuditStream } from './audit-stream.ts'
import { type Command, complain, ExitCode, parseOptions, print } from './command.ts'
import { readRulesText } from './policy-sources.ts'

/** Fewer names are as easily written one by one. */
const NAMES_MIN = 3
/** Bad lines that are named; the rest is counted. */
const BAD_LINES_MAX = 20

export const policyLearn: Command = {
  usage: '--audit FILE|- [--model FILE] [--cluster NAME] [--suggest-prefixes] [--json]',
  summary: 'prints the smallest policy that allows what an audit stream holds, for a person to review',
  help: `  --audit FILE        what audit.file holds, or - for standard input; may be given several times. It needs audit.allows,
                      or mode: audit, which tells what would have been denied
  --model FILE        one of the two models that vkitm ships (default: the one without hosts); with hosts, each rule is
                      for the address that asked
  --cluster NAME      of this cluster, where the stream has several
  --principal NAME    of this principal alone: User:alice
  --suggest-prefixes  add, as comments, prefixes that would stand for three names or more
  --with-super-users  write rules for super users, too, as if they were none
  --json              for scripts`,
  async run(args) {
    const { values, positionals } = parseOptions({
      args: [...args],
      options: {
        audit: { type: 'string', multiple: true },
        model: { type: 'string' },
        cluster: { type: 'string' },
        principal: { type: 'string' },
        'suggest-prefixes': { type: 'boolean' },
        'with-super-users': { type: 'boolean' },
        json: { type: 'boolean' },
      },
      allowPositionals: true,
    })
    if (positionals.length > 0) throw new UsageError(`"${positionals[0]}" has no meaning here: write --audit FILE`)
    if (values.audit === undefined) throw new UsageError('name the audit stream: --audit FILE, or --audit -')
    const model = values.model === undefined ? 'plain' : await shippedModel(values.model)
    const stream = await readStream(values.audit, {
      model,
      cluster: values.cluster,
      principal: values.principal,
      withSuperUsers: values['with-super-users'] ?? false,
    })
    const namesMin = values['suggest-prefixes'] ? NAMES_MIN : undefined
    const learnt = learn(stream.observed, { model, namesMin })
    print(values.json ? asJson(learnt, model, stream) : asText(learnt, model, stream))
    return complainAll(learnt, stream) ? ExitCode.failed : ExitCode.fine
  },
}

async function shippedModel(file: string): Promise<ShippedModel> {
  const model = recogniseModel((await readRulesText(file)).text)
  if (model !== undefined) return model
  const message = `${file} is a model of your own, whose rules mean what it says: learn for policies/model.conf or policies/model-with-host.conf`
  throw new VkitmError('VKITM_POLICY', message)
}

interface Filter {
  readonly model: ShippedModel
  readonly cluster: string | undefined
  readonly principal: string | undefined
  readonly withSuperUsers: boolean
}

interface Stream {
  readonly observed: Observed
  /** Decisions, what is repeated included. */
  readonly counts: { learnt: number; denied: number; superUsers: number }
  readonly bad: BadLine[]
  badLines: number
}

async function readStream(files: readonly string[], filter: Filter): Promise<Stream> {
  const counts = { learnt: 0, denied: 0, superUsers: 0 }
  const stream: Stream = { observed: new Observed(), counts, bad: [], badLines: 0 }
  const onBad = (bad: BadLine): void => {
    stream.badLines++
    if (stream.bad.length < BAD_LINES_MAX) stream.bad.push(bad)
  }
  let cluster = filter.cluster
  const onRecord = (record: ReadRecord): void => {
    if (filter.principal !== undefined && record.principal !== filter.principal) return
    if (filter.cluster === undefined) cluster = sameCluster(cluster, record.cluster)
    else if (record.cluster !== cluster) return
    take(record, stream, filter)
  }
  for (const file of files) await readAuditStream({ file, onRecord, onBad })
  return stream
}

function sameCluster(known: string | undefined, cluster: string): string {
  if (known === undefined || known === cluster) return cluster
  throw new UsageError(`the stream is of several clusters: add --cluster ${known} or --cluster ${cluster}`)
}

function take(record: ReadRecord, { observed, counts }: Stream, { model, withSuperUsers }: Filter): void {
  const { outcome, why, principal, api, operation, type, name, times } = record
  if (outcome === 'denied') counts.denied += times
  // Shadow rules were only tried; the record of what counted stands beside theirs.
  if (outcome !== 'allowed' && outcome !== 'wouldDeny') return
  if (why === 'superUser' && !withSuperUsers) {
    counts.superUsers += times
    return
  }
  counts.learnt += times
  // InitProducerId asks for no topic by its name.
  const isAny = api === 'InitProducerId' && type === 'topic'
  const host = hostFor(model, record.host)
  observed.add({ principal, host, api, operation, type, name: isAny ? anyResource : name, times })
}

const many = (count: number, what: string): string => `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`
const modelFile = { plain: 'policies/model.conf', withHost: 'policies/model-with-host.conf' } as const

function asText({ rules, suggestions }: LearntPolicy, model: ShippedModel, { counts }: Stream): string {
  const { learnt, denied, superUsers } = counts
  const lines = [
    `# model: ${modelFile[model]}`,
    `# ${many(rules.length, 'rule')}, learnt from ${many(learnt, 'decision')}: read them before you use them.`,
  ]
  if (denied > 0) lines.push(`# Not in them: ${many(denied, 'denial')}, which the policy in force meant.`)
  if (superUsers > 0) lines.push(`# Not in them: ${many(superUsers, 'decision')} about super users, who need no rules.`)
  const suggested = byWho(suggestions)
  for (const [who, own] of byWho(rules)) {
    lines.push('', `# ${who}: ${many(own.length, 'rule')}`)
    for (const { times, apis, row } of own) lines.push(`# ${times.toLocaleString('en')} × ${apis.join(', ')}`, row)
    for (const suggestion of suggested.get(who) ?? []) lines.push(...asComment(suggestion))
  }
  return lines.join('\n')
}

function byWho<Item extends { readonly who: string }>(items: readonly Item[]): Map<string, Item[]> {
  const found = new Map<string, Item[]>()
  for (const item of items) {
    const others = found.get(item.who)
    if (others === undefined) found.set(item.who, [item])
    else others.push(item)
  }
  return found
}

function asComment({ row, replaces }: Suggestion): string[] {
  return [`# Instead of ${replaces} of these, and for all that begins so, asked for or not:`, `# ${row}`]
}

function asJson(learnt: LearntPolicy, model: ShippedModel, { counts, bad, badLines }: Stream): string {
  return JSON.stringify({ model, decisions: counts, ...learnt, badLines: { count: badLines, first: bad } }, null, 2)
}

/** Whether there was anything to complain about. */
function complainAll({ rules, refusals }: LearntPolicy, { bad, badLines, counts }: Stream): boolean {
  for (const { file, line, why } of bad) complain(`vkitm: ${file}:${line} ${why}`)
  if (badLines > bad.length) complain(`vkitm: and ${many(badLines - bad.length, 'more line')} like these`)
  for (const { what, why } of refusals) complain(`vkitm: not learnt: ${what}: ${why}`)
  const isEmpty = rules.length === 0 && counts.superUsers === 0
  if (isEmpty) complain('vkitm: there is nothing to learn from: run with audit.allows: true, or with mode: audit')
  return badLines > 0 || refusals.length > 0 || isEmpty
}
