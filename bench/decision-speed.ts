// What one decision costs among 10,000 rules and among 100,000.
import { readFileSync } from 'node:fs'
import { loadPolicy } from '../src/acl/policy/compile-policy.ts'
import type { Policy, Question, Subject } from '../src/acl/policy/policy.ts'
import { rulesText } from './random-rules.ts'
import type { Row, Sample } from './row.ts'

const QUESTIONS = 20_000
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
    const few = await load(10_000)
    const many = await load(100_000)
    const cold = coldDecision(few, 10_000)
    return {
      decisionCold: cold,
      decisionCached: cachedDecision(few),
      decisionGrowth: coldDecision(many, 100_000) / cold,
    }
  },
}

function load(rules: number): Promise<Policy> {
  const model = { path: 'policies/model.conf', text: readFileSync('policies/model.conf', 'utf8') }
  return loadPolicy({
    model,
    rules: [{ path: 'policy.csv', text: rulesText(rules) }],
    superUsers: [],
    generation: 1,
    onError: error => {
      throw error
    },
    knownNames: () => [],
    pause: () => undefined,
  })
}

const subjectOf = (at: number): Subject => ({ principal: `User:u${at % 1_000}`, host: '', listener: '', clientId: '' })
const questionOf = (at: number, rules: number): Question => ({
  api: at % 2 === 0 ? 'Fetch' : 'ListOffsets',
  operation: at % 2 === 0 ? 'read' : 'describe',
  type: 'topic',
  name: `team${(at * 7_919) % rules}.x`,
})

function coldDecision(policy: Policy, rules: number): number {
  // What a principal holds is found once, with its first question.
  for (let user = 0; user < 1_000; user++) policy.decide(subjectOf(user), { ...questionOf(0, rules), name: 'first' })
  const asked = Array.from({ length: QUESTIONS }, (_, at) => [subjectOf(at), questionOf(at, rules)] as const)
  const started = performance.now()
  for (const [subject, question] of asked) policy.decide(subject, question)
  return ((performance.now() - started) * 1_000) / QUESTIONS
}

function cachedDecision(policy: Policy): number {
  const [subject, question] = [subjectOf(1), questionOf(2, 10_000)]
  const started = performance.now()
  for (let at = 0; at < REPEATS; at++) policy.decide(subject, question)
  return ((performance.now() - started) * 1_000) / REPEATS
}
