// What the comparison with Kafka asks, without any Kafka: nothing left out, nothing that hangs on chance alone.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ApiKey, apiName } from '../../../src/protocol/api-key.ts'
import { allApis } from '../../../src/protocol/api-table.ts'
import { decodeRequest, encodeRequest } from '../../../src/protocol/codec.ts'
import { completeBody } from './complete-body.ts'
import { clientVersions, itemsOf, type Plan, planBatch } from './plan.ts'
import { describers, notCompared } from './requests/all.ts'
import { scripts } from './scripts.ts'
import type { Facts, Step } from './step.ts'

const seed = 4_711

function factsOf(marker: string): Facts {
  return {
    topicId: name =>
      Buffer.from((marker + name).padEnd(16))
        .subarray(0, 16)
        .toString('base64url'),
    producer: () => ({ producerId: 7n, producerEpoch: 1 }),
    notes: new Map(),
  }
}

function frameOf({ key, version, body }: Step, facts: Facts): Buffer {
  const complete = completeBody(key, version, body(facts))
  return Buffer.concat(encodeRequest(key, { apiVersion: version, correlationId: 0, clientId: 'x' }, complete))
}

const framesOf = ({ talks }: Plan) => talks.flat().map(step => frameOf(step, factsOf('')).toString('hex'))

describe('the plan of a batch', () => {
  test('every API of clients is compared in every version, or left out with a reason', () => {
    const left = allApis
      .filter(({ listeners }) => listeners.includes('broker'))
      .map(({ key }) => key as ApiKey)
      .filter(key => !describers.has(key) && !notCompared.has(key))
    // Brokers serve these to each other on the same port.
    const interBroker = ['InitializeShareGroupState', 'ReadShareGroupState', 'WriteShareGroupState']
    interBroker.push('DeleteShareGroupState', 'ReadShareGroupStateSummary')
    assert.deepEqual(
      left.map(apiName).filter(name => !interBroker.includes(name)),
      [],
    )

    const asked = new Set(
      planBatch(seed, 0)
        .talks.flat()
        .map(({ key, version }) => `${apiName(key)} ${version}`),
    )
    const wanted = [...describers.keys()].flatMap(key =>
      clientVersions(key).map(version => `${apiName(key)} ${version}`),
    )
    assert.deepEqual(
      wanted.filter(each => !asked.has(each)),
      [],
    )
    assert.equal(describers.size, 67)
    assert.ok(wanted.length > 200, `${wanted.length} pairs of API and version`)
  })

  test('the same seed and batch give the same rules and the same bytes; another batch gives others', () => {
    const [plan, again, other] = [planBatch(seed, 3), planBatch(seed, 3), planBatch(seed, 4)]
    assert.deepEqual(again.acls, plan.acls)
    assert.deepEqual(framesOf(again), framesOf(plan))
    assert.notDeepEqual(other.acls, plan.acls)
    assert.notDeepEqual(framesOf(other), framesOf(plan))
  })

  test('the two sides get the same request but for what they alone know', () => {
    for (const step of planBatch(seed, 5).talks.flat()) {
      const facts = factsOf('')
      // Twice for the same side: no choice is made while a request is built.
      assert.deepEqual(frameOf(step, facts), frameOf(step, facts), apiName(step.key))
    }
  })

  test('every request can be written in its version and read back', () => {
    for (let batch = 0; batch < 20; batch++) {
      for (const step of planBatch(seed, batch).talks.flat()) {
        const { header, unknownTags } = decodeRequest(step.key, frameOf(step, factsOf('')).subarray(4))
        assert.equal(header.apiVersion, step.version)
        assert.equal(unknownTags, 0)
      }
    }
  })

  test('a few hundred batches hold allowed, denied and absent names of every kind', () => {
    const plans = Array.from({ length: 100 }, (_, batch) => planBatch(seed, batch))
    const acls = plans.flatMap(plan => plan.acls)
    for (const type of ['topic', 'group', 'transactionalId', 'cluster']) {
      for (const permission of ['allow', 'deny']) {
        assert.ok(
          acls.some(acl => acl.type === type && acl.permission === permission),
          `${permission} on ${type}`,
        )
      }
    }
    assert.ok(acls.some(({ pattern }) => pattern === 'prefixed') && acls.some(({ name }) => name === '*'))
    assert.ok(acls.some(({ principal }) => principal === 'User:*'))
    assert.ok(plans.reduce((sum, plan) => sum + itemsOf(plan), 0) > 20_000)
  })

  test('scripts are written where their versions are served, and only there', () => {
    const [{ talks }] = [planBatch(seed, 1, key => (key === ApiKey.Fetch ? [] : clientVersions(key)))]
    assert.ok(talks.flat().every(({ key }) => key !== ApiKey.Fetch))
    const named = new Set(
      planBatch(seed, 1)
        .talks.flat()
        .map(({ connection }) => connection.split('-')[0]),
    )
    assert.deepEqual(
      [...Object.keys(scripts)].filter(name => !named.has(name)),
      [],
    )
  })
})

describe('a completed body', () => {
  test('has what its version has, from the schema where nothing was given', () => {
    const given = { topics: [{ name: 'a', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }], includeTopicAuthorizedOperations: true }
    assert.deepEqual(completeBody(ApiKey.Metadata, 4, given), {
      topics: [{ name: 'a', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    assert.equal(completeBody(ApiKey.Metadata, 12, given).topics![0]!.topicId, 'AAAAAAAAAAAAAAAAAAAAAQ')
  })

  test('refuses a field that no version has', () => {
    assert.throws(() => completeBody(ApiKey.Metadata, 12, { nonsense: 1 } as never), /no such field: nonsense/)
  })
})
