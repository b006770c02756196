/** What holds for every API at once: there is a row, a denied topic stays unknown, and names are not judged twice. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { enforcements } from '../../src/acl/acl.ts'
import type { Policy } from '../../src/acl/policy/policy.ts'
import { interBrokerKeys, ServedApis } from '../../src/pipeline/served-apis.ts'
import type { ApiKey } from '../../src/protocol/api-key.ts'
import { allApis } from '../../src/protocol/api-table.ts'
import { TopicCatalog } from '../../src/topology/topic-catalog.ts'
import { judged } from '../support/judged.ts'
import { namingRequest } from '../support/naming-request.ts'
import { plainPolicy } from '../support/plain-policy.ts'

const nobody = new TopicCatalog({
  now: () => 0,
  questions: { byId: async () => [], byName: async () => [], all: async () => [] },
})
const rows = enforcements({ topics: nobody, autoCreatesTopics: () => true, refuses: () => false })
const served = new ServedApis(new Set())

interface Place {
  readonly name: string
  readonly key: ApiKey
  readonly version: number
}

/** Every version of every API with a row. */
const places: readonly Place[] = allApis.flatMap(({ key, name }) => {
  const versions = rows.has(key) ? served.versionsOf(key) : undefined
  if (versions === undefined) return []
  const { min, max } = versions
  return Array.from({ length: max - min + 1 }, (_, at) => ({ name, key: key as ApiKey, version: min + at }))
})

describe('the table of APIs', () => {
  it('B-00: has a row for every API that is not for brokers alone', () => {
    const missing = allApis.filter(({ key }) => !interBrokerKeys.has(key) && !rows.has(key)).map(({ name }) => name)
    assert.deepEqual(missing, [])
    assert.ok(allApis.length >= 90, `${allApis.length} APIs`)
  })

  it('has no row for what brokers and controllers say to each other', () => {
    assert.deepEqual(
      [...rows.keys()].filter(key => interBrokerKeys.has(key)),
      [],
    )
  })
})

const secret = 'a-topic-that-nobody-told-alice'
const existing = [{ name: secret, topicId: 'AAAAAAAAAAAAAAAAAAAACw' }]

/** Everything but topics and the cluster, so that no other denial comes first. */
const policies: Readonly<Record<string, Policy>> = {
  'no rights': plainPolicy([]),
  'rights on groups and transactions': plainPolicy(['p, *, group, *, *, allow', 'p, *, transactionalId, *, *, allow']),
}

/** Its topics are a text about an application, which gives access to none of them; Kafka does not look at them either. */
const textOnly = 'StreamsGroupTopologyDescriptionUpdate'

describe('a denied topic', () => {
  for (const [title, policy] of Object.entries(policies)) {
    it(`B-08: looks the same whether or not it exists, in every API and version, with ${title}`, async () => {
      for (const { name, key, version } of places) {
        const { partial } = namingRequest(key, version, [secret])
        const there = await judged({ key, version, partial, policy, topics: existing })
        const absent = await judged({ key, version, partial, policy })
        assert.deepEqual(there, absent, `${name} version ${version}`)
      }
    })

    it(`reaches no broker by its name, in any API and version, with ${title}`, async () => {
      let named = 0
      for (const { name, key, version } of places) {
        const { partial, isNaming } = namingRequest(key, version, [secret])
        if (!isNaming || name === textOnly) continue
        named++
        const { kind, bytes } = await judged({ key, version, partial, policy })
        assert.ok(kind !== 'forward' || !bytes.includes(secret), `${name} version ${version} is forwarded`)
      }
      assert.ok(named >= 60, `${named} versions name topics`)
    })
  }
})

/** Counts, and denies topics but nothing else. */
function counting(): { readonly policy: Policy; readonly count: () => number } {
  let decisions = 0
  const inner = plainPolicy(['p, *, group, *, *, allow', 'p, *, transactionalId, *, *, allow'])
  const policy: Policy = {
    ...inner,
    decide: (subject, question) => {
      decisions++
      return inner.decide(subject, question)
    },
  }
  return { policy, count: () => decisions }
}

describe('a request with very many topics', () => {
  // The newest version with names of each API: a request of this size takes a while to build.
  const naming = places
    .filter(({ key, version }) => namingRequest(key, version, ['a']).isNaming)
    .filter(({ key }, at, all) => all[at + 1]?.key !== key)

  it('A-11: that are all the same is a handful of decisions', async () => {
    for (const { name, key, version } of naming) {
      const { policy, count } = counting()
      const { partial } = namingRequest(key, version, Array(10_000).fill('a'))
      await judged({ key, version, partial, policy })
      assert.ok(count() <= 8, `${name} version ${version}: ${count()} decisions`)
    }
  })

  it('A-11: that differ is a few decisions for each', async () => {
    const topics = Array.from({ length: 5_000 }, (_, at) => `topic-${at}`)
    for (const { name, key, version } of naming) {
      const { policy, count } = counting()
      await judged({ key, version, partial: namingRequest(key, version, topics).partial, policy })
      assert.ok(count() <= 3 * topics.length, `${name} version ${version}: ${count()} decisions`)
    }
  })
})
