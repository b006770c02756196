import assert from 'node:assert/strict'
import { it } from 'node:test'
import { defaultRefusals } from '../../src/acl/refusals.ts'
import { ServedApis } from '../../src/pipeline/served-apis.ts'
import { ApiKey, apiName } from '../../src/protocol/api-key.ts'
import { describeApi } from '../../src/protocol/api-table.ts'
import { read, sectionOf } from './documents.ts'

/** Two tables of what is refused without a policy, and one of what a policy refuses by default. */
const [withoutPolicy = '', byDefault = ''] = sectionOf(read('SECURITY.md'), '## Refused requests').split(
  '| `policy.refuse` |',
)
const names = new Set<string>(Object.keys(ApiKey))
/** The first column. */
const cellsOf = (table: string): string[] => Array.from(table.matchAll(/^\| ([^|]+) \|/gm), ([, cell = '']) => cell)
const rows = cellsOf(withoutPolicy)
/** The APIs that the first column of the table names, with the words around them. */
const named = rows.flatMap(cell => cell.split(/[ ,()]+/).filter(word => names.has(word)))

it('SECURITY names every request that is refused whole, and no other', () => {
  const served = new ServedApis()
  const live = Object.values(ApiKey).filter(key => describeApi(key) !== undefined)
  const refused = live.filter(key => served.versionsOf(key) === undefined).map(apiName)
  assert.ok(refused.length > 10)
  const inPart = ['AddPartitionsToTxn', 'Fetch']
  assert.deepEqual(named.filter(name => !inPart.includes(name)).sort(), refused.sort())
})

it('SECURITY names the versions that are refused of the others', () => {
  const { max } = new ServedApis().versionsOf(ApiKey.AddPartitionsToTxn)!
  assert.ok(rows.includes(`AddPartitionsToTxn from version ${max + 1} on`))
})

it('SECURITY names what a policy refuses by default, and no other', () => {
  const listed = cellsOf(byDefault).flatMap(cell => cell.split(', ').filter(word => names.has(word.split(':')[0]!)))
  assert.deepEqual(listed.sort(), [...defaultRefusals].sort())
})
