/** Every scenario of this folder, in every version it names. A folder is an API, a file a case. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runScenario, type Scenario, versionsOf } from '../support/scenario.ts'

const folder = join(import.meta.dirname, '..', '..', '..', 'test', 'scenarios')
const apis = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory())

for (const { name: api } of apis) {
  describe(api, () => {
    for (const file of readdirSync(join(folder, api))) {
      const scenario = JSON.parse(readFileSync(join(folder, api, file), 'utf8')) as Scenario
      test(`${scenario.scenario} (${file})`, async () => {
        const versions = versionsOf(scenario)
        assert.ok(versions.length > 0, `no version in ${scenario.versions}`)
        for (const version of versions) {
          await runScenario(scenario, version).catch(error => {
            error.message = `version ${version}: ${error.message}`
            throw error
          })
        }
      })
    }
  })
}
