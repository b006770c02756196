import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { test } from 'node:test'
import { BearerServer } from '../../src/sasl/oauthbearer.ts'
import { PlainServer } from '../../src/sasl/plain.ts'
import { ScramClient } from '../../src/sasl/scram-client.ts'
import { ScramServer } from '../../src/sasl/scram-server.ts'
import { lookupIn, nonce, usersOf } from './scram-peers.ts'

const users = await usersOf({ alice: 'pass' })
const lookup = lookupIn(users)
const judge = async () => {
  throw new Error('no')
}

/** One damage that leaves something else than before. */
function damaged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  const at = randomInt(Math.max(1, copy.length))
  const kind = randomInt(4)
  if (kind === 0) return copy.subarray(0, at)
  if (kind === 1) return Buffer.concat([copy.subarray(0, at), randomBytes(1 + randomInt(8)), copy.subarray(at)])
  if (kind === 2) return Buffer.concat([copy, randomBytes(1 + randomInt(16))])
  copy[at] = copy[at]! ^ (1 + randomInt(255))
  return copy
}

test('D-03, D-06: of 1,200 damaged messages none lets anybody in and none throws', async () => {
  let tried = 0
  const plain = Buffer.from('\0alice\0pass')
  for (let turn = 0; turn < 300; turn++, tried++) {
    const step = await new PlainServer(lookup).next(damaged(plain))
    assert.equal(step.kind, 'failed')
  }
  for (let turn = 0; turn < 300; turn++, tried++) {
    const step = await new BearerServer(judge).next(damaged(Buffer.from('n,,\x01auth=Bearer good\x01\x01')))
    assert.notEqual(step.kind, 'done')
  }
  for (let turn = 0; turn < 600; turn++, tried++) {
    const mechanism = turn % 2 === 0 ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512'
    const ours = new ScramClient({ mechanism, username: 'alice', password: 'pass', nonce })
    const theirs = new ScramServer({ mechanism, lookup, nonce })
    const first = await ours.first()
    const answer = await theirs.next(turn % 3 === 0 ? damaged(first) : first)
    if (answer.kind !== 'continue') continue
    const challenge = Buffer.from(answer.challenge)
    let final: Buffer
    try {
      final = (await ours.next(challenge))!
    } catch {
      // A damaged nonce is not ours: the client itself sees it.
      continue
    }
    // What was sent first was damaged already, or this one is.
    const step = await theirs.next(turn % 3 === 0 ? final : damaged(final))
    assert.equal(step.kind, 'failed')
  }
  assert.equal(tried, 1200)
})
