// A certificate authority for one test run, and what it signs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './child-process.ts'

export interface Certificate {
  /** PEM, leaf first. */
  readonly certificate: string
  readonly key: string
  /** PEM of the authority that signed it. */
  readonly ca: string
}

export interface Authority {
  readonly ca: string
  /** A certificate for these names; an IPv4 address is one too. */
  server(name: string, hosts: readonly string[]): Promise<Certificate>
  client(name: string): Promise<Certificate>
}

const p256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

export async function createAuthority(folder: string, name = 'vkitm test authority'): Promise<Authority> {
  mkdirSync(folder, { recursive: true })
  const ca = join(folder, 'ca.pem')
  const caKey = join(folder, 'ca.key')
  const subject = ['-subj', `/CN=${name}`, '-days', '2']
  const isAuthority = ['-addext', 'basicConstraints=critical,CA:true', '-addext', 'keyUsage=critical,keyCertSign,cRLSign']
  await run('openssl', ['req', '-x509', ...p256, ...subject, ...isAuthority, '-keyout', caKey, '-out', ca])

  async function issue(leaf: string, extensions: readonly string[]): Promise<Certificate> {
    const key = join(folder, `${leaf}.key`)
    const certificate = join(folder, `${leaf}.pem`)
    const request = join(folder, `${leaf}.csr`)
    await run('openssl', ['req', '-new', ...p256, '-subj', `/CN=${leaf}`, '-keyout', key, '-out', request])
    const extensionFile = join(folder, `${leaf}.ext`)
    writeFileSync(extensionFile, extensions.join('\n'))
    const signer = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensionFile]
    await run('openssl', ['x509', '-req', '-in', request, ...signer, '-out', certificate])
    writeFileSync(certificate, readFileSync(certificate, 'utf8') + readFileSync(ca, 'utf8'))
    return { certificate, key, ca }
  }

  return {
    ca,
    server: (leaf, hosts) => issue(leaf, [`subjectAltName=${hosts.map(alternativeName).join(',')}`, usage('serverAuth')]),
    client: leaf => issue(leaf, [usage('clientAuth')]),
  }
}

const alternativeName = (host: string) => (/^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`)
// Brokers are clients of each other.
const usage = (purpose: string) => `extendedKeyUsage=${purpose === 'serverAuth' ? 'serverAuth,clientAuth' : purpose}`
