import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readRules, runAtOnce } from '../../../src/acl/policy/compile-policy.ts'
import { lintPolicy } from '../../../src/acl/policy/lint-policy.ts'
import { readNamePattern } from '../../../src/acl/policy/name-pattern.ts'
import type { Rule } from '../../../src/acl/policy/rule.ts'
import { WholeDenies } from '../../../src/acl/policy/whole-denies.ts'
import { apiKeyOf } from '../../../src/protocol/api-key.ts'
import { plainModel } from './policy-fixture.ts'
import { Random } from './random-policies.ts'

const seed = Number(process.env.VKITM_SEED ?? Math.floor(Math.random() * 2 ** 31))
const whos = ['*', 'User:a', 'User:b', 'role:r']
const names = ['a', 'ab', 'abc', 'a*', 'ab*', 'abc*', '*', '~a.*', '~ab.+', '~ab.*', '\\~a', '\\~a*', '\\~ab*', 'a\\*']
const acts = ['read', 'describe', '*', 'Fetch', 'ListOffsets']

const line = (random: Random): string =>
  ['p', random.pick(whos), 'topic', random.pick(names), random.pick(acts), random.pick(['*', '*', '10.0.0.1'])].join(
    ', ',
  )

/** Pair by pair. */
function isShadowed(allow: Rule, rules: readonly Rule[]): boolean {
  const beginning = (name: string): string => {
    const pattern = readNamePattern(name)
    return pattern.kind === 'exact' ? pattern.name : pattern.kind === 'prefix' ? pattern.prefix : pattern.literal
  }
  return rules.some(({ who, type, name, act, host, effect }) => {
    const pattern = readNamePattern(name)
    const isWider =
      name === allow.name || (pattern.kind === 'prefix' && beginning(allow.name).startsWith(pattern.prefix))
    const isWhole = act === '*' || (act === allow.act && apiKeyOf(act) !== undefined)
    const isAsked = who === allow.who || who === '*'
    return effect === 'deny' && host === '*' && type === allow.type && isWider && isWhole && isAsked
  })
}

describe('a deny that leaves nothing of an allow', () => {
  it(`is found where looking at every pair finds one (seed ${seed})`, () => {
    const random = new Random(seed)
    let shadowed = 0
    for (let round = 0; round < 300; round++) {
      const rows = Array.from({ length: 12 }, () => `${line(random)}, ${random.chance(0.3) ? 'deny' : 'allow'}`)
      const { rules, findings } = runAtOnce(readRules([{ path: 'p', text: rows.join('\n') }], 'withHost'))
      assert.deepEqual(findings, [])
      const denies = new WholeDenies(rules)
      for (const rule of rules) {
        if (rule.effect === 'deny') continue
        const deny = denies.over(rule)
        assert.equal(deny !== undefined, isShadowed(rule, rules), `${rule.origin.text} in\n${rows.join('\n')}`)
        if (deny === undefined) continue
        assert.ok(isShadowed(rule, [deny]), `${deny.origin.text} does not shadow ${rule.origin.text}`)
        shadowed++
      }
    }
    assert.ok(shadowed > 100)
  })

  it('is found among 100,000 rules in a moment, and so is everything else about them', async () => {
    const rows = Array.from({ length: 100_000 }, (_, at) => {
      const who = at % 3 === 0 ? `role:r${at % 500}` : `User:u${at % 1_000}`
      const name = `team${at}.${'x'.repeat(at % 60)}${at % 4 === 0 ? '*' : ''}`
      return `p, ${who}, topic, ${name}, ${['read', 'write', 'describe', 'Fetch'][at % 4]}, ${at % 10 === 0 ? 'deny' : 'allow'}`
    })
    rows.push('p, User:u1, topic, team100001.*, *, deny', 'p, User:u1, topic, team100001.last, read, allow')
    const started = process.cpuUsage()
    const { findings } = await lintPolicy({ model: plainModel, rules: [{ path: 'p', text: rows.join('\n') }] })
    const { user, system } = process.cpuUsage(started)
    const of = findings.filter(({ message }) => message.includes('denies all that this allows'))
    assert.deepEqual(
      of.map(({ line: number }) => number),
      [100_002],
    )
    assert.ok(findings.length > 1)
    // 1 s where nobody else works; trying every prefix of every name takes 7.
    assert.ok(user + system < 5_000_000, `${(user + system) / 1e6} s of CPU`)
  })

  it('has no bound on how much can be wrong', async () => {
    const text = '"x\n'.repeat(200_000)
    assert.equal((await lintPolicy({ model: plainModel, rules: [{ path: 'p', text }] })).findings.length, 200_000)
  })
})
