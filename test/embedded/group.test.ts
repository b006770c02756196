import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it, mock } from 'node:test'
import { Group, type JoinRequest } from '../../src/embedded/group.ts'
import type { JoinResult } from '../../src/embedded/group-member.ts'
import { ErrorCode, errorName } from '../../src/protocol/error-code.ts'

const session = 10_000
const rebalance = 30_000

function introduction(overrides: Partial<JoinRequest> = {}): JoinRequest {
  return {
    memberId: '',
    instanceId: null,
    clientId: 'c',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: session,
    rebalanceTimeoutMs: rebalance,
    protocols: [{ name: 'range', metadata: Buffer.from('topics') }],
    protocolType: 'consumer',
    learnsIdFirst: true,
    ...overrides,
  }
}

/** Joins the way a client does: learns its id, then joins with it. */
async function join(group: Group, overrides: Partial<JoinRequest> = {}): Promise<JoinResult> {
  const first = await group.join(introduction(overrides))
  assert.equal(errorName(first.errorCode), 'MEMBER_ID_REQUIRED')
  return group.join(introduction({ ...overrides, memberId: first.memberId }))
}

const standing = ({ memberId, generation }: JoinResult) => ({ memberId, generation, instanceId: null })

async function stable(group: Group): Promise<[JoinResult, JoinResult]> {
  const one = await join(group)
  await group.sync(standing(one), new Map())
  const other = join(group)
  const again = group.join(introduction({ memberId: one.memberId }))
  const [leader, follower] = await Promise.all([again, other])
  const following = group.sync(standing(follower), new Map())
  await group.sync(
    standing(leader),
    new Map([
      [leader.memberId, Buffer.from('first')],
      [follower.memberId, Buffer.from('second')],
    ]),
  )
  assert.deepEqual(await following, { errorCode: ErrorCode.NONE, assignment: Buffer.from('second') })
  return [leader, follower]
}

describe('a classic consumer group', () => {
  let group: Group
  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] })
    group = new Group('g', 0)
  })
  afterEach(() => {
    group.close()
    mock.timers.reset()
  })

  it('makes its only member the leader, who is told of all members', async () => {
    const joined = await join(group)
    assert.equal(joined.leaderId, joined.memberId)
    assert.equal(joined.generation, 1)
    assert.equal(joined.protocolName, 'range')
    assert.deepEqual(joined.members, [{ memberId: joined.memberId, instanceId: null, metadata: Buffer.from('topics') }])
    assert.equal(group.state, 'CompletingRebalance')
    const assigned = await group.sync(standing(joined), new Map([[joined.memberId, Buffer.from('all')]]))
    assert.deepEqual(assigned, { errorCode: ErrorCode.NONE, assignment: Buffer.from('all') })
    assert.equal(group.state, 'Stable')
  })

  it('rebalances when a second member joins: the first hears of it by its heartbeat and joins again', async () => {
    const [leader, follower] = await stable(group)
    assert.equal(leader.generation, 2)
    assert.equal(follower.leaderId, leader.memberId)
    assert.equal(leader.members.length, 2)
    assert.equal(follower.members.length, 0)
    assert.equal(group.heartbeat(standing(leader)), ErrorCode.NONE)

    const third = join(group)
    await Promise.resolve()
    await Promise.resolve()
    assert.equal(group.state, 'PreparingRebalance')
    assert.equal(group.heartbeat(standing(leader)), ErrorCode.REBALANCE_IN_PROGRESS)
    await Promise.all([
      group.join(introduction({ memberId: leader.memberId })),
      group.join(introduction({ memberId: follower.memberId })),
    ])
    assert.equal((await third).generation, 3)
    assert.equal(group.heartbeat(standing(leader)), ErrorCode.ILLEGAL_GENERATION)
  })

  it('goes on without members that do not join again within the rebalance timeout', async () => {
    const [leader, follower] = await stable(group)
    const third = join(group)
    await Promise.resolve()
    const again = group.join(introduction({ memberId: leader.memberId }))
    for (let passed = 0; passed < rebalance; passed += session / 2) {
      mock.timers.tick(session / 2)
      group.heartbeat(standing(follower))
    }
    assert.equal((await again).generation, 3)
    await third
    assert.equal(group.members.length, 2)
    assert.equal(group.heartbeat(standing(follower)), ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('removes a member whose session ends, and keeps one that beats', async () => {
    const [leader, follower] = await stable(group)
    mock.timers.tick(session - 1)
    assert.equal(group.heartbeat(standing(leader)), ErrorCode.NONE)
    mock.timers.tick(1)
    assert.equal(group.heartbeat(standing(follower)), ErrorCode.UNKNOWN_MEMBER_ID)
    assert.equal(group.heartbeat(standing(leader)), ErrorCode.REBALANCE_IN_PROGRESS)
    mock.timers.tick(session)
    assert.equal(group.state, 'Empty')
  })

  it('rebalances at once when a member leaves, and elects another leader', async () => {
    const [leader, follower] = await stable(group)
    assert.equal(group.leave({ memberId: leader.memberId, instanceId: null }), ErrorCode.NONE)
    assert.equal(group.leave({ memberId: leader.memberId, instanceId: null }), ErrorCode.UNKNOWN_MEMBER_ID)
    const joined = await group.join(introduction({ memberId: follower.memberId }))
    assert.equal(joined.leaderId, follower.memberId)
    group.leave({ memberId: follower.memberId, instanceId: null })
    assert.equal(group.state, 'Empty')
  })

  it('answers those who wait for their assignment when the rebalance begins anew', async () => {
    const [leader, follower] = await stable(group)
    const third = join(group)
    await Promise.resolve()
    await Promise.all([
      group.join(introduction({ memberId: leader.memberId })),
      group.join(introduction({ memberId: follower.memberId })),
    ])
    const waiting = group.sync(standing(await third), new Map())
    group.leave({ memberId: follower.memberId, instanceId: null })
    assert.equal((await waiting).errorCode, ErrorCode.REBALANCE_IN_PROGRESS)
  })

  it('chooses the protocol that all can speak and most want', async () => {
    const protocols = (...names: string[]) => names.map(name => ({ name, metadata: Buffer.from(name) }))
    const one = await join(group, { protocols: protocols('sticky', 'range', 'cooperative') })
    const other = join(group, { protocols: protocols('range', 'cooperative') })
    await Promise.resolve()
    const again = await group.join(introduction({ memberId: one.memberId, protocols: protocols('sticky', 'range') }))
    assert.equal(again.protocolName, 'range')
    assert.equal((await other).protocolName, 'range')
    const stranger = await group.join(introduction({ protocols: protocols('other') }))
    assert.equal(stranger.errorCode, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    const connector = await group.join(introduction({ protocolType: 'connect' }))
    assert.equal(connector.errorCode, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  })

  it('forgets ids that nobody joins with', async () => {
    const { memberId } = await group.join(introduction())
    mock.timers.tick(session)
    const late = await group.join(introduction({ memberId }))
    assert.equal(late.errorCode, ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('fences a static member by the next one of the same instance', async () => {
    const before = await group.join(introduction({ instanceId: 'i' }))
    const after = await group.join(introduction({ instanceId: 'i' }))
    assert.notEqual(after.memberId, before.memberId)
    assert.equal(group.members.length, 1)
    const old = { memberId: before.memberId, instanceId: 'i', generation: before.generation }
    assert.equal(group.heartbeat(old), ErrorCode.FENCED_INSTANCE_ID)
    assert.equal(group.leave({ memberId: '', instanceId: 'i' }), ErrorCode.NONE)
    assert.equal(group.state, 'Empty')
  })

  it('takes commits of its members, and of anybody while it has none', async () => {
    assert.equal(group.judgeCommit({ memberId: '', instanceId: null, generation: -1 }), ErrorCode.NONE)
    const [leader] = await stable(group)
    assert.equal(group.judgeCommit(standing(leader)), ErrorCode.NONE)
    assert.equal(group.judgeCommit({ ...standing(leader), generation: 1 }), ErrorCode.ILLEGAL_GENERATION)
    assert.equal(group.judgeCommit({ memberId: '', instanceId: null, generation: -1 }), ErrorCode.UNKNOWN_MEMBER_ID)
  })

  it('waits for more members first where it is told to', async () => {
    const patient = new Group('p', 3_000)
    const one = join(patient)
    await Promise.resolve()
    const other = join(patient)
    await Promise.resolve()
    await Promise.resolve()
    assert.equal(patient.state, 'PreparingRebalance')
    mock.timers.tick(3_000)
    assert.deepEqual([(await one).generation, (await other).generation], [1, 1])
    patient.close()
  })
})
