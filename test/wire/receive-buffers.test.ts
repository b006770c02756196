import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReceiveBuffers, slabBytesMax } from '../../src/wire/receive-buffers.ts'

const MiB = 1024 * 1024

function begun(buffers: ReceiveBuffers, bytes: number): Buffer {
  const slab = buffers.begin(bytes)
  assert.ok(slab !== undefined && slab.length >= bytes)
  return slab
}

test("a slab that was given back is the next one of its length, and is nobody else's", () => {
  const buffers = new ReceiveBuffers()
  const [one, other, shorter] = [begun(buffers, 65_700), begun(buffers, 66_000), begun(buffers, 40_000)]
  assert.equal(new Set([one, other, shorter, buffers.shared].map(({ buffer }) => buffer)).size, 4)
  for (const slab of [one, shorter]) buffers.complete(slab)
  buffers.giveBack(one)
  buffers.giveBack(shorter)
  assert.equal(buffers.idleBytes, one.length + shorter.length)
  assert.equal(begun(buffers, 70_000), one, 'lengths in steps')
  assert.notEqual(begun(buffers, 70_000), one)
  assert.equal(begun(buffers, 40_000), shorter)
  assert.equal(buffers.idleBytes, 0)
})

test("a slab that is given back twice would be two owners': it throws", () => {
  const buffers = new ReceiveBuffers()
  const slab = begun(buffers, slabBytesMax)
  buffers.giveBack(slab)
  assert.throws(() => buffers.giveBack(slab), /twice/)
  assert.equal(buffers.idleBytes, slabBytesMax)
})

test('so many wait for the next large frame, however many were given back, and the oldest go', () => {
  const buffers = new ReceiveBuffers()
  const old = Array.from({ length: 30 }, () => begun(buffers, slabBytesMax))
  for (const slab of old) buffers.complete(slab)
  const young = Array.from({ length: 100 }, () => begun(buffers, 128 * 1024))
  for (const slab of [...old, ...young]) buffers.giveBack(slab)
  assert.equal(buffers.idleBytes, 8 * MiB)
  for (const slab of young) buffers.complete(slab)
  for (let at = 0; at < 64; at++) assert.ok(young.includes(begun(buffers, 128 * 1024)))
  assert.equal(buffers.idleBytes, 0)
})

test('only so many are begun at a time: 32 MiB', () => {
  const buffers = new ReceiveBuffers()
  const all = Array.from({ length: 128 }, () => begun(buffers, slabBytesMax))
  assert.equal(buffers.begunBytes, 32 * MiB)
  assert.equal(buffers.begin(32 * 1024), undefined)
  buffers.complete(all[0]!)
  assert.ok(buffers.begin(slabBytesMax) !== undefined)
  assert.equal(buffers.begin(slabBytesMax), undefined)
})
