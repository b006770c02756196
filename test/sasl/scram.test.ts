import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ServerStep } from '../../src/sasl/conversation.ts'
import { ScramClient } from '../../src/sasl/scram-client.ts'
import {
  clientKeyOf,
  digest,
  type ScramMechanism,
  saltedPassword,
  scramMechanisms,
  serverKeyOf,
} from '../../src/sasl/scram-keys.ts'
import { ScramServer } from '../../src/sasl/scram-server.ts'
import { lookupIn, nonce, usersOf } from './scram-peers.ts'

const users = await usersOf({ alice: 'wonder land', 'a=b,c': 'x', ülrich: 'pässword' })
const lookup = lookupIn(users)

const server = (mechanism: ScramMechanism = 'SCRAM-SHA-256') => new ScramServer({ mechanism, lookup, nonce })
const client = (username: string, password: string, mechanism: ScramMechanism = 'SCRAM-SHA-256') =>
  new ScramClient({ mechanism, username, password, nonce })

async function converse(ours: ScramClient, theirs: ScramServer): Promise<ServerStep> {
  let message: Buffer | undefined = await ours.first()
  for (;;) {
    const step: ServerStep = await theirs.next(message)
    if (step.kind === 'failed') return step
    message = await ours.next(step.challenge)
    if (message === undefined) return step
  }
}

const text = (step: ServerStep): string => (step.kind === 'failed' ? '' : step.challenge.toString())

describe('SCRAM', () => {
  for (const mechanism of scramMechanisms) {
    test(`${mechanism} lets in whoever knows the password, and both sides prove themselves`, async () => {
      for (const [name, password] of [
        ['alice', 'wonder land'],
        ['a=b,c', 'x'],
        ['ülrich', 'pässword'],
      ] as const) {
        const step = await converse(client(name, password, mechanism), server(mechanism))
        assert.equal(step.kind, 'done')
        assert.equal(step.kind === 'done' && step.name, name)
      }
      assert.equal((await converse(client('alice', 'wrong', mechanism), server(mechanism))).kind, 'failed')
      assert.equal((await converse(client('nobody', 'x', mechanism), server(mechanism))).kind, 'failed')
    })
  }

  test('says what RFC 7677 says, byte for byte', async () => {
    const ours = new ScramClient({
      mechanism: 'SCRAM-SHA-256',
      username: 'user',
      password: 'pencil',
      nonce: () => 'rOprNGfwEbeRWgbNEkqO',
    })
    assert.equal((await ours.first()).toString(), 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
    const first = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'
    assert.equal(
      (await ours.next(Buffer.from(first)))?.toString(),
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    )
    assert.equal(await ours.next(Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')), undefined)
  })

  test('D-03: every malformed first message fails', async () => {
    const bad = [
      '',
      'n',
      'n,,',
      'y,,n=alice,r=abc',
      'p=tls-unique,,n=alice,r=abc',
      'n,,m=x,n=alice,r=abc',
      'n,,n=alice',
      'n,,r=abc,n=alice',
      'n,,n=,r=abc',
      'n,,n=alice,r=',
      'n,,n=ali=ce,r=abc',
      'n,,n=alice,r=a\tb',
      'n,,n=alice,r=abc,',
      'n,,n=alice,r=abc,x',
      'n,,n=alice,r=abc,tokenauth=true',
      'n,,n=alice,r=abc,m=x,tokenauth=TRUE',
      ' n,,n=alice,r=abc',
      'n,,n=al\0ice,r=abc',
      'N,,n=alice,r=abc',
    ]
    for (const message of bad) assert.equal((await server().next(Buffer.from(message))).kind, 'failed', message)
    assert.equal(
      (await server().next(Buffer.concat([Buffer.from('n,,n='), Buffer.from([0xff]), Buffer.from(',r=a')]))).kind,
      'failed',
    )
    assert.equal((await server().next(Buffer.from('n,,n=alice,r=abc,x=y'))).kind, 'continue')
  })

  test('D-03: another nonce, another channel binding, a changed or misspelt proof fail, and nothing follows a failure', async () => {
    const finalOf = async (change: (final: string) => string): Promise<ServerStep> => {
      const [ours, theirs] = [client('alice', 'wonder land'), server()]
      const first = await theirs.next(await ours.first())
      const final = (await ours.next(Buffer.from(text(first))))!.toString()
      const step = await theirs.next(Buffer.from(change(final)))
      if (step.kind === 'failed') assert.equal((await theirs.next(Buffer.from(final))).kind, 'failed')
      return step
    }
    assert.equal((await finalOf(final => final)).kind, 'done')
    const changes: ((final: string) => string)[] = [
      final => final.replace('c=biws', 'c=eSws'),
      final => final.replace('c=biws', 'c=biws='),
      final => final.replace('r=', 'r=x'),
      final => final.replace(/,p=.*/, ''),
      final => final.replace(/,p=.*/, ',p='),
      final => `${final}=`,
      final => `${final},p=AAAA`,
      final => final.replace(/p=(.)/, (_, letter) => `p=${letter === 'A' ? 'B' : 'A'}`),
      final => final.replace(/p=.*/, `p=${Buffer.alloc(31).toString('base64')}`),
      final => final.replace(/p=.*/, `p=${Buffer.alloc(33).toString('base64')}`),
      final => final.replace('p=', 'p= '),
      final => final.replace(/^(c=[^,]*),(r=[^,]*)/, '$2,$1'),
      () => '',
    ]
    for (const change of changes) assert.equal((await finalOf(change)).kind, 'failed', String(change))
  })

  test('D-03: as a client, refuses a foreign nonce, too few or too many iterations, and a broker that proves nothing', async () => {
    const answers = (ours: string) => [
      `r=other,s=AAAAAAAAAAA=,i=4096`,
      `r=${ours},s=AAAAAAAAAAA=,i=4096`,
      `r=${ours}x,s=AAAAAAAAAAA=,i=4095`,
      `r=${ours}x,s=AAAAAAAAAAA=,i=1000001`,
      `r=${ours}x,s=AAAAAAAAAAA=,i=2147483648`,
      `r=${ours}x,s=AAAAAAAAAAA=,i=-1`,
      `r=${ours}x,s=AAA,i=4096`,
      `m=x,r=${ours}x,s=AAAAAAAAAAA=,i=4096`,
      '',
    ]
    for (let at = 0; at < answers('').length; at++) {
      const ours = new ScramClient({ mechanism: 'SCRAM-SHA-256', username: 'a', password: 'b', nonce: () => 'abc' })
      await ours.first()
      await assert.rejects(ours.next(Buffer.from(answers('abc')[at]!)), { code: 'VKITM_SASL' }, answers('abc')[at])
    }
    for (const last of ['', 'e=other-error', 'v=', 'v=AAAA', `v=${Buffer.alloc(32).toString('base64')}`]) {
      const ours = new ScramClient({ mechanism: 'SCRAM-SHA-256', username: 'a', password: 'b', nonce: () => 'abc' })
      await ours.first()
      await ours.next(Buffer.from('r=abcx,s=AAAAAAAAAAA=,i=4096'))
      await assert.rejects(ours.next(Buffer.from(last)), { code: 'VKITM_SASL' }, last)
    }
  })

  test('D-04: a user who does not exist gets the same salt each time, the others’ iterations, and the same refusal', async () => {
    const firstOf = async (name: string) => text(await server().next(Buffer.from(`n,,n=${name},r=abc`)))
    const shape = (message: string) => /^r=abc[^,]{24},s=([^,]+),i=4096$/.exec(message)?.[1]
    const [known, unknown, again, other] = [
      await firstOf('alice'),
      await firstOf('eve'),
      await firstOf('eve'),
      await firstOf('mallory'),
    ]
    assert.equal(shape(unknown), shape(again))
    assert.notEqual(shape(unknown), shape(other))
    assert.equal(shape(unknown)?.length, shape(known)?.length)
    const [wrong, nobody] = [
      await converse(client('alice', 'x'), server()),
      await converse(client('eve', 'x'), server()),
    ]
    // The log knows better; a client hears the same text for both.
    assert.deepEqual(wrong, { kind: 'failed', reason: 'wrong password', name: 'alice' })
    assert.deepEqual(nobody, { kind: 'failed', reason: 'unknown user' })
    const elsewhere = lookupIn(users, Buffer.alloc(32, 8)).find('eve', 'SCRAM-SHA-256')
    assert.notDeepEqual(elsewhere.verifier.salt.toString('base64'), shape(unknown))
  })

  test('D-04: a stand-in lets nobody in, even with a proof that fits it', async () => {
    const found = { ...lookup.find('alice', 'SCRAM-SHA-256'), isReal: false }
    const standIn = { find: () => found } as unknown as typeof lookup
    const theirs = new ScramServer({ mechanism: 'SCRAM-SHA-256', lookup: standIn, nonce })
    assert.equal((await converse(client('alice', 'wonder land'), theirs)).kind, 'failed')
  })

  test('D-05: a client may ask to be nobody else', async () => {
    assert.equal((await server().next(Buffer.from('n,a=bob,n=alice,r=abc'))).kind, 'failed')
    assert.equal((await server().next(Buffer.from('n,a=alice,n=alice,r=abc'))).kind, 'continue')
  })

  test('D-02: a verifier holds no password and no key that logs in', async () => {
    const verifier = users.verifier('alice', 'SCRAM-SHA-256')!
    const salted = await saltedPassword('SCRAM-SHA-256', 'wonder land', verifier)
    const clientKey = clientKeyOf('SCRAM-SHA-256', salted)
    assert.deepEqual(verifier.storedKey, digest('SCRAM-SHA-256', clientKey))
    assert.deepEqual(verifier.serverKey, serverKeyOf('SCRAM-SHA-256', salted))
    assert.ok(!users.toText().includes(clientKey.toString('base64')) && !users.toText().includes('wonder'))
  })
})
