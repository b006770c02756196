/** One complete revocation list of a CA (RFC 5280 5): its ASN.1 by `pki.ts`, its signature by node:crypto. */
import { createPrivateKey, sign, X509Certificate } from 'node:crypto'
import { TlsError } from '../errors.ts'
import type { Issued } from './certificate-authority.ts'
import { subjectName } from './distinguished-name.ts'
import { authorityKeyIdentifier, signatureAlgorithm } from './issue-certificate.ts'
import { toPem } from './pem.ts'
import {
  bigInteger,
  bitString,
  decode,
  encode,
  explicit,
  integer,
  objectId,
  octetString,
  sequence,
  time,
} from './pki.ts'

export interface Revocation {
  /** As `X509Certificate.serialNumber` prints it. */
  readonly serial: string
  readonly at: Date
}

export interface RevocationListRequest {
  readonly revoked: readonly Revocation[]
  /** Counts up with every list of a CA. */
  readonly number: number
  readonly now: Date
  readonly days?: number
}

const DAY_MS = 86_400_000
/** The clocks of those who will check may be a little behind. */
const CLOCK_SKEW_MS = 300_000
const CRL_NUMBER = '2.5.29.20'

export function issueRevocationList(authority: Issued, request: RevocationListRequest): string {
  const { revoked, number, now, days = 30 } = request
  const issuer = new X509Certificate(authority.certificate)
  if (!issuer.ca) throw new TlsError(`${issuer.subject}: not a CA, it has no revocation list`)
  const key = createPrivateKey(authority.key)
  const algorithm = signatureAlgorithm(key)
  const entries = revoked.map(({ serial, at }) => sequence(bigInteger(serialBytes(serial)), time(at)))
  const body = sequence(
    integer(1),
    algorithm,
    decode(subjectName(issuer.raw)),
    time(new Date(now.getTime() - CLOCK_SKEW_MS)),
    time(new Date(now.getTime() + days * DAY_MS)),
    // RFC 5280 5.1.2.6: absent, not empty, where nothing is revoked.
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    explicit(
      0,
      sequence(
        authorityKeyIdentifier(issuer.publicKey),
        sequence(objectId(CRL_NUMBER), octetString(encode(integer(number)))),
      ),
    ),
  )
  return toPem('X509 CRL', encode(sequence(body, algorithm, bitString(sign('sha256', encode(body), key)))))
}

const serialBytes = (serial: string): Buffer =>
  Buffer.from(serial.padStart(serial.length + (serial.length % 2), '0'), 'hex')
