// One P-256 certificate for every contestant, so that all of them pay for the same signature.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../test/support/child-process.ts'

export interface Certificate {
  readonly certificate: string
  readonly key: string
  /** Key and certificate in one file, as HAProxy reads them. */
  readonly combined: string
  /** PEM text that clients trust: the certificate signs itself. */
  readonly ca: string
}

export async function issueCertificate(folder: string): Promise<Certificate> {
  const [certificate, key, combined] = ['server.pem', 'server.key', 'combined.pem'].map(name => join(folder, name))
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const keyType = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await run('openssl', ['req', '-x509', '-days', '2', ...keyType, ...subject, '-keyout', key!, '-out', certificate!])
  const ca = readFileSync(certificate!, 'utf8')
  writeFileSync(combined!, ca + readFileSync(key!, 'utf8'), { mode: 0o600 })
  return { certificate: certificate!, key: key!, combined: combined!, ca }
}
