// What passes for meant: a line that takes too much would hide a mistake.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ApiKey } from '../../../src/protocol/api-key.ts'
import { type Acl, mayDescribe } from './acl.ts'
import { changesOf } from './changes.ts'
import { deliberateOf } from './deliberate.ts'
import type { Plain } from './normalise.ts'
import type { Step } from './step.ts'

const rule = (of: Partial<Acl>): Acl => ({
  principal: 'User:alice',
  type: 'topic',
  pattern: 'literal',
  name: 'orders',
  operation: 'read',
  permission: 'allow',
  host: '*',
  ...of,
})

interface Difference {
  readonly key: ApiKey
  readonly expected: Plain
  readonly got: Plain
  readonly request?: Plain
  readonly acls?: readonly Acl[]
}

function isMeant({ key, expected, got, request = {}, acls = [] }: Difference): boolean {
  const step = { key, version: 1, principal: 'alice' } as Step
  const changes = changesOf(expected, got)
  return changes.every(change => deliberateOf({ step, request, acls, change, got }) !== undefined)
}

describe('what SECURITY.md explains', () => {
  const told = { results: [{ topics: [{ name: 'orders', partitions: [] }] }] }
  const leftOut = { results: [{ topics: [] }] }
  const key = ApiKey.DescribeLogDirs

  test('is a topic left out that may not be described, and not one that may', () => {
    assert.ok(isMeant({ key, expected: told, got: leftOut }))
    assert.ok(!isMeant({ key, expected: told, got: leftOut, acls: [rule({})] }))
    assert.ok(!isMeant({ key, expected: leftOut, got: told }))
  })

  test('is one error in the place of another, of one API', () => {
    const of = (errorCode: number) => ({ topics: [{ name: 'orders', errorCode }] })
    assert.ok(isMeant({ key: ApiKey.CreateTopics, expected: of(40), got: of(44) }))
    assert.ok(!isMeant({ key: ApiKey.CreateTopics, expected: of(0), got: of(44) }))
    assert.ok(!isMeant({ key: ApiKey.CreateTopics, expected: of(44), got: of(40) }))
    assert.ok(!isMeant({ key: ApiKey.DeleteTopics, expected: of(40), got: of(44) }))
  })

  test('is a broken list of a new share session, and no other failure', () => {
    const of = (errorCode: number) => ({ errorCode })
    const opening = (...ids: string[]) => ({ shareSessionEpoch: 0, topics: ids.map(topicId => ({ topicId })) })
    const failing = { key: ApiKey.ShareFetch, expected: of(-1), got: of(0) }
    assert.ok(isMeant({ ...failing, request: opening('id of a', 'id of a') }))
    assert.ok(isMeant({ ...failing, request: opening('id of a', 'AAAA') }))
    assert.ok(!isMeant({ ...failing, request: opening('id of a', 'id of b') }))
    assert.ok(isMeant({ ...failing, request: { ...opening('AAAA'), shareSessionEpoch: 1 } }))
    assert.ok(!isMeant({ ...failing, request: { ...opening('id of a', 'id of a'), shareSessionEpoch: 1 } }))
  })

  test('is a member that does not join a streams group for want of Create, whatever else Kafka says', () => {
    const key = ApiKey.StreamsGroupHeartbeat
    const refused = (errorMessage: string | null) => ({ errorCode: 29, errorMessage })
    const create = refused('Unauthorized to CREATE on topics a.')
    const joined = { errorCode: 0, errorMessage: create.errorMessage }
    assert.ok(isMeant({ key, expected: joined, got: create, request: { memberEpoch: 0 } }))
    assert.ok(!isMeant({ key, expected: joined, got: create, request: { memberEpoch: 1 } }))
    const describe = { errorCode: 0, errorMessage: null }
    assert.ok(!isMeant({ key, expected: describe, got: refused(null), request: { memberEpoch: 0 } }))
  })

  test('is an operation on settings that does not exist, and only in the place of a server error', () => {
    const key = ApiKey.IncrementalAlterConfigs
    const of = (errorCode: number, errorMessage: string | null = null) => ({
      responses: [{ resourceName: 'a', errorCode, errorMessage }],
    })
    const request = (configOperation: number) => ({ resources: [{ configs: [{ configOperation }] }] })
    assert.ok(isMeant({ key, expected: of(-1), got: of(29, 'Topic authorization failed.'), request: request(9) }))
    assert.ok(!isMeant({ key, expected: of(-1), got: of(29, 'Oh.'), request: request(9) }))
    assert.ok(!isMeant({ key, expected: of(-1), got: of(29), request: request(3) }))
    assert.ok(!isMeant({ key, expected: of(-1), got: of(0), request: request(9) }))
    assert.ok(!isMeant({ key, expected: of(0), got: of(29), request: request(9) }))
  })
})

describe('who may describe', () => {
  test('is who is allowed to, or what implies it, and is not denied it', () => {
    const may = (...acls: Acl[]) => mayDescribe(acls, 'alice', 'topic', 'orders')
    assert.ok(!may())
    for (const operation of ['describe', 'read', 'write', 'delete', 'alter', 'all'] as const) {
      assert.ok(may(rule({ operation })), operation)
    }
    assert.ok(!may(rule({ operation: 'create' })))
    assert.ok(may(rule({ pattern: 'prefixed', name: 'ord' })) && may(rule({ name: '*', principal: 'User:*' })))
    assert.ok(!may(rule({ name: 'ord' })) && !may(rule({ principal: 'User:bob' })) && !may(rule({ type: 'group' })))
    assert.ok(!may(rule({}), rule({ permission: 'deny', operation: 'describe' })))
    assert.ok(!may(rule({}), rule({ permission: 'deny', operation: 'all', name: '*' })))
    assert.ok(may(rule({}), rule({ permission: 'deny', operation: 'read' })))
  })
})
