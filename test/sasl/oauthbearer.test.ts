import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BearerClient, BearerServer, parseBearer } from '../../src/sasl/oauthbearer.ts'

const judge = async (token: string) => {
  if (token !== 'good') throw new Error('no')
  return { name: 'alice', expiresAtMs: 5 }
}
const say = (message: string) => new BearerServer(judge).next(Buffer.from(message))

describe('OAUTHBEARER', () => {
  test('lets in whoever has a token that is believed, until it ends', async () => {
    const step = await new BearerServer(judge).next(await new BearerClient('good').first())
    assert.deepEqual(step, { kind: 'done', challenge: Buffer.alloc(0), name: 'alice', expiresAtMs: 5 })
  })

  test('D-10: a token that is not believed is answered with the status of RFC 7628, and fails at the next message', async () => {
    const theirs = new BearerServer(judge)
    const step = await theirs.next(await new BearerClient('bad').first())
    assert.equal(step.kind === 'refused' && step.challenge.toString(), '{"status":"invalid_token"}')
    assert.equal((await theirs.next(Buffer.from([1]))).kind, 'failed')
    assert.equal((await theirs.next(await new BearerClient('good').first())).kind, 'failed')
  })

  test('D-05: a client may ask to be nobody else', async () => {
    assert.equal((await say('n,a=bob,\x01auth=Bearer good\x01\x01')).kind, 'failed')
    assert.equal((await say('n,a=alice,\x01auth=Bearer good\x01\x01')).kind, 'done')
  })

  test('malformed messages fail, extensions are read over', async () => {
    const bad = [
      '',
      'n,,',
      'n,,\x01\x01',
      'n,,\x01auth=Bearer\x01\x01',
      'n,,\x01auth=Bearer \x01\x01',
      'n,,\x01auth=Basic good\x01\x01',
      'n,,\x01auth=Bearer good\x01',
      'n,,\x01auth=Bearer good\x01auth=Bearer good\x01\x01',
      'y,,\x01auth=Bearer good\x01\x01',
      'n,,\x01Auth=Bearer good\x01\x01',
      'n,,\x01auth=Bearer go od\x01\x01',
      'n,,\x01auth=Bearer good\x01\x01\x01',
      'n,,\x01auth=Bearer good\x011=2\x01\x01',
    ]
    for (const message of bad) assert.equal((await say(message)).kind, 'failed', JSON.stringify(message))
    assert.equal((await say('n,,\x01auth=bearer good\x01traceId=a b\x01\x01')).kind, 'done')
    assert.equal(parseBearer(Buffer.from('n,,\x01auth=Bearer good\x01\x01'))?.token, 'good')
  })

  test('as a client, what a broker says beside success is a refusal', async () => {
    await assert.rejects(new BearerClient('good').next(Buffer.from('{"status":"invalid_token"}')), {
      code: 'VKITM_SASL',
    })
    assert.throws(() => new BearerClient('a b'), { code: 'VKITM_SASL' })
  })
})
