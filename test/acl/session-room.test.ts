import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { SessionRoom } from '../../src/acl/session-room.ts'

describe('SessionRoom', () => {
  let room: SessionRoom
  let dropped: string[]
  const enter = (name: string, weight: number) => {
    const session = { weight }
    room.enter(session, () => dropped.push(name))
    return session
  }

  beforeEach(() => {
    room = new SessionRoom(100)
    dropped = []
  })

  it('drops the session that was not used for longest where there is no more room', () => {
    const first = enter('first', 40)
    enter('second', 40)
    room.use(first)
    enter('third', 40)
    assert.deepEqual(dropped, ['second'])
    assert.equal(room.weight, 80)
  })

  it('weighs a session anew each time it is used', () => {
    const first = enter('first', 10)
    const second = enter('second', 40)
    second.weight = 95
    room.use(second)
    assert.deepEqual(dropped, ['first'])
    second.weight = 5
    room.use(second)
    room.use(first)
    assert.equal(room.weight, 5, 'what was dropped does not come back')
  })

  it('has its room back when a session leaves', () => {
    const first = enter('first', 60)
    room.leave(first)
    room.leave(first)
    room.use(first)
    assert.equal(room.weight, 0)
    enter('second', 60)
    assert.deepEqual(dropped, [])
  })

  it('drops what is larger than all of it', () => {
    const first = enter('first', 60)
    enter('second', 101)
    first.weight = 101
    room.use(first)
    assert.deepEqual(dropped, ['second', 'first'])
    assert.equal(room.weight, 0)
  })
})
