import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { FrameFuzz } from './frame-fuzz.ts'

const seed = Number(process.env.VKITM_SEED ?? Math.floor(Math.random() * 2 ** 32))
const frames = process.env.VKITM_FUZZ === 'long' ? 1_000_000 : 200_000

describe('damaged frames', () => {
  test(`${frames} of them are accepted or refused: nothing else is thrown, nothing hangs, no memory stays`, (context: TestContext) => {
    const fuzz = new FrameFuzz()
    assert.ok(fuzz.sampleCount > 1_000)
    const report = fuzz.run(seed, frames)
    context.diagnostic(`VKITM_SEED=${seed}: ${JSON.stringify(report)}`)
    assert.equal(report.frames, frames)
    // All ways out are taken often, or the damage is not what it should be.
    for (const count of [report.accepted, report.refused, report.unserved]) assert.ok(count > frames / 50)
    assert.ok(report.incomplete > 0)
    assert.ok(report.slowestMs < 2_000, `${report.slowestMs} ms for one frame`)
    assert.ok(report.heapGrowthBytes < 64 * 1024 * 1024 && report.bufferGrowthBytes < 16 * 1024 * 1024)
  })
})
