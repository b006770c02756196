// What one decision costs among 10,000 rules and among 100,000.
import type { Policy, Question, Subject } from '../src/acl/policy/policy.ts'
import { loadRules, rulesText } from './random-rules.ts'
import type { Row, Sample } from './row.ts'
import { quantile } from './statistics.ts'

/** In each repetition, none asked before. */
const QUESTIONS = 20_000
const REPETITIONS = 7
const REPEATS = 1_000_000

export const decisionSpeed: Row = {
  id: 'decision',
  process: 'kept',
  includesDirect: false,
  figures: [
    {
      id: 'decisionCold',
      title: 'one decision, 10,000 rules, first time',
      unit: 'µs',
      digits: 2,
      goal: { against: 'nothing', max: 20 },
      clock: true,
    },
    {
      id: 'decisionCached',
      title: 'one decision, 10,000 rules, asked before',
      unit: 'µs',
      digits: 3,
      goal: { against: 'nothing', max: 1 },
      clock: true,
    },
    {
      id: 'decisionGrowth',
      title: 'a cold decision, 100,000 rules against 10,000',
      unit: '×',
      digits: 2,
      goal: { against: 'nothing', max: 2 },
      clock: true,
    },
  ],
  async measure({ name }): Promise<Sample> {
    // The others decide nothing.
    if (name !== 'vkitm') return {}
    const few = new ColdDecisions(await loadRules(rulesText(10_000)), 10_000)
    const many = new ColdDecisions(await loadRules(rulesText(100_000)), 100_000)
    // The first ones pay for V8's compilation, and not in equal parts.
    for (let at = 0; at < 2; at++) for (const policy of [few, many]) policy.repeat()
    const [cold, coldAmongMany]: [number[], number[]] = [[], []]
    for (let at = 0; at < REPETITIONS; at++) {
      cold.push(few.repeat())
      coldAmongMany.push(many.repeat())
    }
    return {
      decisionCold: quantile(cold, 0.5),
      decisionCached: cachedDecision(few.policy),
      decisionGrowth: quantile(coldAmongMany, 0.5) / quantile(cold, 0.5),
    }
  },
}

const subjectOf = (at: number): Subject => ({ principal: `User:u${at % 1_000}`, host: '', listener: '', clientId: '' })
const questionOf = (at: number, rules: number): Question => ({
  api: at % 2 === 0 ? 'Fetch' : 'ListOffsets',
  operation: at % 2 === 0 ? 'read' : 'describe',
  type: 'topic',
  name: `team${(at * 7_919) % rules}.x${at}`,
})

class ColdDecisions {
  readonly policy: Policy
  readonly #rules: number
  #asked = 0

  constructor(policy: Policy, rules: number) {
    this.policy = policy
    this.#rules = rules
    // What a principal holds is found once, with its first question.
    for (let user = 0; user < 1_000; user++) policy.decide(subjectOf(user), { ...questionOf(0, rules), name: 'first' })
  }

  /** Microseconds that a question takes that nobody has asked before. */
  repeat(): number {
    const asked = Array.from({ length: QUESTIONS }, (_, at) => {
      return [subjectOf(this.#asked + at), questionOf(this.#asked + at, this.#rules)] as const
    })
    this.#asked += QUESTIONS
    const started = performance.now()
    for (const [subject, question] of asked) this.policy.decide(subject, question)
    return ((performance.now() - started) * 1_000) / QUESTIONS
  }
}

function cachedDecision(policy: Policy): number {
  const [subject, question] = [subjectOf(1), questionOf(2, 10_000)]
  const started = performance.now()
  for (let at = 0; at < REPEATS; at++) policy.decide(subject, question)
  return ((performance.now() - started) * 1_000) / REPEATS
}
