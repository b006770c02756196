/** Whether a new certificate may take over from the one in force: it must not serve fewer clients than that one does. */
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { TlsError } from '../errors.ts'
import type { TlsIdentity } from './tls-identity.ts'

/** As clients compare (RFC 9525): alternative names alone. */
export function isNamed(certificate: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return certificate.checkIP(host) !== undefined
  return certificate.checkHost(host, { subject: 'never' }) !== undefined
}

export function checkSuccessor(path: string, next: TlsIdentity, inForce: TlsIdentity, hosts: readonly string[]): void {
  for (const host of hosts) {
    if (isNamed(next.certificate, host) || !isNamed(inForce.certificate, host)) continue
    throw new TlsError(
      `${path}: the certificate does not name ${host}, where clients connect; the one in force does: issue it for that name, too`,
    )
  }
  if (next.chain.length > 1 || inForce.chain.length === 1) return
  if (next.certificate.issuer !== inForce.certificate.issuer) return
  throw new TlsError(
    `${path}: the certificates that vouch for it are missing, and the file in force has them: append the issuing CA's`,
  )
}
