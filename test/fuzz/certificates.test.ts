/** Certificates and revocation lists, damaged: read, or refused by an error of ours, and never slowly. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VkitmError } from '../../src/errors.ts'
import { alternativeNames } from '../../src/tls/alternative-names.ts'
import { createRoot, issueClient } from '../../src/tls/certificate-authority.ts'
import { subjectOf } from '../../src/tls/distinguished-name.ts'
import { issueRevocationList } from '../../src/tls/issue-revocation-list.ts'
import { certificateNumber, readRevocationLists } from '../../src/tls/revocation-list.ts'

const rounds = process.env.VKITM_FUZZ === 'long' ? 200_000 : 4_000
const seed = Number(process.env.VKITM_SEED ?? Date.now() % 2 ** 31)
const now = new Date()
const root = createRoot({ subject: 'CN=fuzz', now })
const der = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')
const certificate = der(
  issueClient(root, { subject: 'CN=a,OU=b+L=c,O=d', names: ['a.example', 'uri:x://y', 'email:a@b'], now }).certificate,
)
const revoked = Array.from({ length: 20 }, (_, at) => ({ serial: (0x4000 + at).toString(16), at: now }))
const list = der(issueRevocationList(root, { revoked, number: 1, now }))

/** mulberry32: small, and the same everywhere. */
function randomFrom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function damaged(bytes: Buffer, random: () => number): Buffer {
  const at = (length: number) => Math.floor(random() * length)
  const copy = Buffer.from(bytes)
  for (let flips = 1 + at(4); flips > 0; flips--) copy[at(copy.length)] = at(256)
  const how = random()
  if (how < 0.2) return copy.subarray(0, at(copy.length))
  if (how < 0.3) return Buffer.concat([copy, Buffer.alloc(1 + at(20), at(256))])
  if (how < 0.4) return Buffer.concat([copy.subarray(0, at(copy.length)), copy.subarray(at(copy.length))])
  return copy
}

const readers: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  subject: subjectOf,
  number: certificateNumber,
  'alternative names': bytes => (['dns', 'email', 'uri'] as const).map(kind => alternativeNames(bytes, kind)),
  'revocation list': content => readRevocationLists({ path: 'x.crl', content }),
}

for (const [what, read] of Object.entries(readers)) {
  test(`C-10: ${rounds} damaged inputs of a ${what} are read or refused (seed ${seed})`, () => {
    const random = randomFrom(seed)
    const whole = what === 'revocation list' ? list : certificate
    read(whole)
    let refused = 0
    const started = performance.now()
    for (let round = 0; round < rounds; round++) {
      const bytes = damaged(whole, random)
      try {
        read(bytes)
      } catch (error) {
        assert.ok(error instanceof VkitmError, `${bytes.toString('hex')}: ${error}`)
        refused++
      }
    }
    assert.ok(refused > rounds / 20, `only ${refused} refused`)
    assert.ok(performance.now() - started < rounds * 5, 'too slow')
  })
}
