/** One X.509 v3 certificate (RFC 5280): its ASN.1 by `pki.ts`, its signature by node:crypto. */
import { hash, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { TlsError } from '../errors.ts'
import { subjectName } from './distinguished-name.ts'
import { toPem } from './pem.ts'
import {
  type Asn1,
  bigInteger,
  bitString,
  booleanTrue,
  contentOf,
  decode,
  encode,
  explicit,
  implicit,
  integer,
  nullValue,
  objectId,
  octetString,
  parts,
  sequence,
  time,
} from './pki.ts'
import { encodeSubject } from './subject.ts'

export const Extension = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const

export type CertificateUse =
  /** `pathLength`: how many CAs may stand below. */
  { readonly kind: 'ca'; readonly pathLength: number } | { readonly kind: 'server' | 'client' }

export interface CertificateRequest {
  readonly subject: string
  readonly publicKey: KeyObject
  readonly use: CertificateUse
  /** DNS names and IP addresses, and others as `email:…` and `uri:…`. */
  readonly alternativeNames: readonly string[]
  readonly notBefore: Date
  readonly notAfter: Date
  /** 16 random bytes. */
  readonly serial: Buffer
  /** Absent: signed by itself. */
  readonly issuer?: X509Certificate
  readonly signingKey: KeyObject
}

const EXTENDED_USES = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const

const extension = (oid: string, value: Asn1, critical = false): Asn1 =>
  sequence(objectId(oid), ...(critical ? [booleanTrue()] : []), octetString(encode(value)))

const publicKeyInfo = (key: KeyObject): Asn1 => decode(key.export({ format: 'der', type: 'spki' }))

/** RFC 5280 4.2.1.2 (1): SHA-1 of the bits of the key; it identifies and protects nothing. */
const keyIdentifier = (key: KeyObject): Buffer =>
  hash('sha1', contentOf(parts(publicKeyInfo(key))[1]).subarray(1), 'buffer')

/** Of certificates and revocation lists alike: which key of the issuer signed. */
export const authorityKeyIdentifier = (issuerKey: KeyObject): Asn1 =>
  extension(Extension.authorityKeyIdentifier, sequence(implicit(0, keyIdentifier(issuerKey))))

/** BIT STRING of KeyUsage: keyCertSign (5) and cRLSign (6), or digitalSignature (0). */
const keyUsage = (isCa: boolean): Asn1 =>
  isCa ? bitString(Buffer.of(0b0000_0110), 1) : bitString(Buffer.of(0b1000_0000), 7)

/** RFC 5280 4.2.1.6 by its tags; IA5String is ASCII. */
function alternativeName(name: string): Asn1 {
  if (isIP(name) !== 0) return implicit(7, Buffer.from(ipaddr.parse(name).toByteArray()))
  const [, kind, value] = /^(email|uri):(.*)$/s.exec(name) ?? [name, 'dns', name]
  const isPlain = kind === 'dns' ? /^[A-Za-z0-9*_-]+(\.[A-Za-z0-9_-]+)*$/ : /^[\x21-\x2b\x2d-\x7e]+$/
  if (!isPlain.test(value!)) {
    throw new TlsError(
      `the alternative name ${JSON.stringify(name)} is none: write a host name, an IP address, email:… or uri:…`,
    )
  }
  return implicit(kind === 'email' ? 1 : kind === 'uri' ? 6 : 2, Buffer.from(value!, 'ascii'))
}

function extensions({ use, publicKey, issuer, alternativeNames }: CertificateRequest): Asn1[] {
  const constraints = use.kind === 'ca' ? sequence(booleanTrue(), integer(use.pathLength)) : sequence()
  const list = [
    extension(Extension.basicConstraints, constraints, true),
    extension(Extension.keyUsage, keyUsage(use.kind === 'ca'), true),
    extension(Extension.subjectKeyIdentifier, octetString(keyIdentifier(publicKey))),
  ]
  if (issuer) list.push(authorityKeyIdentifier(issuer.publicKey))
  if (use.kind !== 'ca') list.push(extension(Extension.extendedKeyUsage, sequence(objectId(EXTENDED_USES[use.kind]))))
  if (alternativeNames.length > 0) {
    list.push(extension(Extension.subjectAltName, sequence(...alternativeNames.map(alternativeName))))
  }
  return list
}

export function signatureAlgorithm(key: KeyObject): Asn1 {
  return key.asymmetricKeyType === 'ec'
    ? sequence(objectId('1.2.840.10045.4.3.2'))
    : sequence(objectId('1.2.840.113549.1.1.11'), nullValue())
}

export function issueCertificate(request: CertificateRequest): X509Certificate {
  const { serial, signingKey, issuer, notBefore, notAfter, subject, publicKey } = request
  const algorithm = signatureAlgorithm(signingKey)
  const subjectNode = encodeSubject(subject)
  const positive = Buffer.from(serial)
  // Positive, and no leading zero byte that DER would forbid.
  positive[0] = (positive[0]! & 0x7f) | 0x40
  const body = sequence(
    explicit(0, integer(2)),
    bigInteger(positive),
    algorithm,
    issuer ? decode(subjectName(issuer.raw)) : subjectNode,
    sequence(time(notBefore), time(notAfter)),
    subjectNode,
    publicKeyInfo(publicKey),
    explicit(3, sequence(...extensions(request))),
  )
  const signature = sign('sha256', encode(body), signingKey)
  return new X509Certificate(toPem('CERTIFICATE', encode(sequence(body, algorithm, bitString(signature)))))
}
