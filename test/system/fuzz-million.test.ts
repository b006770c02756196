import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { FrameFuzz } from '../fuzz/frame-fuzz.ts'

const seed = Number(process.env.VKITM_SEED ?? Math.floor(Math.random() * 2 ** 32))

describe('a million damaged frames', () => {
  test('are accepted or refused: nothing else is thrown, nothing hangs, no memory stays', (context: TestContext) => {
    const report = new FrameFuzz().run(seed, 1_000_000)
    context.diagnostic(`VKITM_SEED=${seed}: ${JSON.stringify(report)}`)
    assert.equal(report.frames, 1_000_000)
    assert.ok(report.accepted > 20_000 && report.refused > 200_000)
    assert.ok(report.slowestMs < 2_000, `${report.slowestMs} ms for one frame`)
    assert.ok(report.heapGrowthBytes < 64 * 1024 * 1024 && report.bufferGrowthBytes < 16 * 1024 * 1024)
  })
})
