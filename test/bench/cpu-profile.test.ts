import assert from 'node:assert/strict'
import { test } from 'node:test'
import { selfTimes } from '../../bench/cpu-profile.ts'

const frame = (id: number, functionName: string, url = '', lineNumber = -1) => ({
  id,
  callFrame: { functionName, url, lineNumber },
})

test('self times are added up over call paths and threads, idle time apart', () => {
  const nodes = [
    frame(1, '(idle)'),
    frame(2, 'read', 'file:///home/someone/vkitm/dist/wire/frames.js', 9),
    frame(3, 'read', 'file:///home/someone/vkitm/dist/wire/frames.js', 9),
    frame(4, '', 'node:net', 0),
  ]
  const profile = { nodes, samples: [1, 2, 3, 4, 2], timeDeltas: [0, 1e6, 2e6, 3e6, 4e6] }
  const { busySeconds, idleSeconds, functions } = selfTimes([profile, profile])
  assert.equal(idleSeconds, 2)
  assert.equal(busySeconds, 18)
  assert.deepEqual(functions, [
    { name: 'read', place: 'dist/wire/frames.js:10', seconds: 10 },
    { name: '(anonymous)', place: 'node:net:1', seconds: 8 },
  ])
})
