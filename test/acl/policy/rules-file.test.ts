import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Helper, newModelFromString } from 'casbin'
import { runAtOnce } from '../../../src/acl/policy/compile-policy.ts'
import { readRow } from '../../../src/acl/policy/csv-row.ts'
import { readRulesFile } from '../../../src/acl/policy/rules-file.ts'
import { shippedModels } from '../../../src/acl/policy/shipped-models.ts'
import { Random } from './random-policies.ts'

const read = (text: string) => runAtOnce(readRulesFile({ path: 'policy.csv', text }))

describe('a rules file', () => {
  it('is read with a byte order mark, with CRLF, with comments and empty lines, each rule with its line', () => {
    const { rows, findings } = read('\uFEFF# who\r\n\r\n  p, a, b\r\n\t# more\r\ng,c , d')
    assert.deepEqual(findings, [])
    assert.deepEqual(
      rows.map(({ key, fields, origin }) => [key, ...fields, origin.line]),
      [
        ['p', 'a', 'b', 3],
        ['g', 'c', 'd', 5],
      ],
    )
  })

  it('takes quotes around a field with a comma, and doubled ones within', () => {
    assert.deepEqual(readRow('p, "User:CN=a,O=b", topic , "a""b",c"d'), ['p', 'User:CN=a,O=b', 'topic', 'a"b', 'c"d'])
    assert.deepEqual(readRow('a,,'), ['a', '', ''])
  })

  it('refuses, with the line, what casbin would quietly read as something else', () => {
    for (const line of ['p, "a', 'p, "a" b, c', 'p, " a", b', 'p, """a""", b']) {
      const { rows, findings } = read(`p, fine\n${line}`)
      assert.equal(rows.length, 1, line)
      assert.deepEqual(
        findings.map(({ severity, line }) => [severity, line]),
        [['error', 2]],
      )
    }
  })

  it('has bounds', () => {
    const { findings } = read(`${'p\n'.repeat(1_000_001)}`)
    assert.match(findings[0]!.message, /more than 1000000 rules/)
    assert.match(read('#'.repeat(64 * 1_048_576 + 1)).findings[0]!.message, /64 MiB/)
  })

  it('is read as casbin reads it, wherever it is not refused', () => {
    const random = new Random(7)
    const pieces = [
      'a',
      'User:x',
      ',',
      ',',
      ',',
      '"',
      '""',
      ' ',
      '\t',
      '\\',
      '~',
      '*',
      '#',
      'ü',
      '\u00a0',
      "'",
      '{',
      '|',
    ]
    let compared = 0
    for (let round = 0; round < 20_000; round++) {
      const line = `p${Array.from({ length: 2 + random.below(10) }, () => random.pick(pieces)).join('')}`
      const ours = read(line)
      if (ours.findings.length > 0 || ours.rows[0]?.key !== 'p') continue
      const model = newModelFromString(shippedModels.plain)
      Helper.loadPolicyLine(line, model)
      assert.deepEqual(ours.rows[0].fields, model.model.get('p')!.get('p')!.policy[0], JSON.stringify(line))
      compared++
    }
    assert.ok(compared > 1_000, `${compared}`)
  })
})
