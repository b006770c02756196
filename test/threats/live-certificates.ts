// A gateway on certificates in real files, and the hands that exchange them while it runs.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { readWithAccess } from '../../src/config/bounded-read.ts'
import type { LimitsConfig, ListenerConfig, ListenerTlsConfig } from '../../src/config/config.ts'
import {
  createIssuing,
  createRoot,
  type Issued,
  issueClient,
  issueServer,
} from '../../src/tls/certificate-authority.ts'
import { issueRevocationList, type Revocation } from '../../src/tls/issue-revocation-list.ts'
import { type FakeBroker, startFakeBroker } from '../support/fake-broker.ts'
import { startTestGateway, type TestGateway } from '../support/test-gateway.ts'

export const now = new Date()
export const root = createRoot({ subject: 'CN=Live Root', now })
export const issuing = createIssuing(root, { subject: 'CN=Live Issuing', now })
const names = ['localhost', '127.0.0.1']

export const newServer = (changes: Partial<Parameters<typeof issueServer>[1]> = {}): Issued =>
  issueServer(issuing, { names, now, ...changes })
export const newClient = (subject: string, names: readonly string[] = []): Issued =>
  issueClient(issuing, { subject, names, now })
export const asClient = ({ chain, key }: Issued) => ({ cert: chain.join(''), key })

let listNumber = 0
export const listOf = (
  authority: Issued,
  revoked: readonly Revocation[] = [],
  at = { now: new Date(), days: 2 },
): string => issueRevocationList(authority, { revoked, number: ++listNumber, ...at })

export class Live {
  readonly folder = mkdtempSync(join(tmpdir(), 'vkitm-live-'))
  gateway!: TestGateway
  broker!: FakeBroker

  /** Replaced as a careful tool does it: written beside, then renamed. */
  write(name: string, content: string | Buffer): string {
    const path = join(this.folder, name)
    writeFileSync(`${path}.new`, content, { mode: 0o600 })
    renameSync(`${path}.new`, path)
    return path
  }

  serve({ chain, key }: Issued): void {
    this.write('server.key', key)
    this.write('server.pem', chain.join(''))
  }

  async start(
    tls: Partial<ListenerTlsConfig> = {},
    listener: Partial<ListenerConfig> = {},
    limits: Partial<LimitsConfig> = {},
  ): Promise<TestGateway> {
    mkdirSync(this.folder, { recursive: true })
    this.broker = await startFakeBroker()
    const identity = {
      kind: 'pem' as const,
      certificate: await this.file('server.pem'),
      key: await this.file('server.key'),
    }
    this.gateway = await startTestGateway({
      limits,
      upstream: { bootstrap: [{ host: this.broker.host, port: this.broker.port }] },
      listener: { tls: { identity, clientAuth: 'none', minVersion: 'TLSv1.2', crl: [], ...tls }, ...listener },
    })
    return this.gateway
  }

  async file(name: string): Promise<{ path: string; content: Buffer }> {
    const path = join(this.folder, name)
    return { path, ...(await readWithAccess(path)) }
  }

  /** Clients with a certificate of `issuing`, judged by lists. */
  async mutual(clientAuth: 'request' | 'require' = 'require'): Promise<Partial<ListenerTlsConfig>> {
    this.write('clients-ca.pem', root.certificate + issuing.certificate)
    this.write('root.crl', listOf(root))
    this.write('issuing.crl', listOf(issuing))
    return {
      clientAuth,
      clientCa: { kind: 'pem', ...(await this.file('clients-ca.pem')) },
      crl: [await this.file('root.crl'), await this.file('issuing.crl')],
    }
  }

  async stop(): Promise<void> {
    await this.gateway?.stop()
    await this.broker?.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** A finished handshake, or why there was none. */
  shake(options: ConnectionOptions = {}): Promise<Shaken> {
    return new Promise(resolve => {
      const socket = connect({
        host: '127.0.0.1',
        port: this.gateway.port,
        servername: 'localhost',
        ca: root.certificate,
        ...options,
      })
      socket.once('secureConnect', () => {
        const serial = socket.getPeerX509Certificate()?.serialNumber
        resolve({ socket, serial, isResumed: socket.isSessionReused() })
      })
      socket.on('error', error => resolve({ socket, error }))
    })
  }
}

export interface Shaken {
  readonly socket: TLSSocket
  readonly serial?: string | undefined
  readonly isResumed?: boolean
  readonly error?: Error
}
