import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReceiveBuffers, slabBytes } from '../../src/wire/receive-buffers.ts'

test("a slab that was given back is the next one that is taken, and is nobody else's", () => {
  const buffers = new ReceiveBuffers()
  const [one, other] = [buffers.takeSlab(), buffers.takeSlab()]
  assert.ok(one.buffer !== other.buffer && one.buffer !== buffers.shared.buffer)
  assert.equal(one.length, slabBytes)
  buffers.giveBack(one)
  assert.equal(buffers.takeSlab(), one)
  assert.notEqual(buffers.takeSlab(), one)
})

test("a slab that is given back twice would be two owners': it throws", () => {
  const buffers = new ReceiveBuffers()
  const slab = buffers.takeSlab()
  buffers.giveBack(slab)
  assert.throws(() => buffers.giveBack(slab), /twice/)
  assert.equal(buffers.idleCount, 1)
})

test('so many wait for the next answer, however many were given back', () => {
  const buffers = new ReceiveBuffers()
  const slabs = Array.from({ length: 100 }, () => buffers.takeSlab())
  for (const slab of slabs) buffers.giveBack(slab)
  assert.equal(buffers.idleCount * slabBytes, 8 * 1024 * 1024)
})
