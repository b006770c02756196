/** The demo's folder: certificates, the gateway's configuration and log, and what clients need to connect. */
import { existsSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRoot, type Issued, issueServer } from '../../tls/certificate-authority.ts'
import type { DemoPorts } from './free-ports.ts'

export const gatewayHost = 'localhost'
const validDays = 7

export class Workspace {
  readonly folder: string
  #authority = ''

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<Workspace> {
    const workspace = new Workspace(await mkdtemp(join(tmpdir(), 'vkitm-demo-')))
    await mkdir(workspace.path('certs'))
    return workspace
  }

  /** PEM of the authority that clients trust. */
  get authority(): string {
    return this.#authority
  }

  path(...names: string[]): string {
    return join(this.folder, ...names)
  }

  /** @returns the gateway's own certificate. */
  async issueCertificates(): Promise<Issued> {
    const now = new Date()
    const authority = createRoot({ subject: 'CN=vkitm demo authority', now, days: validDays })
    const gateway = issueServer(authority, { names: [gatewayHost, '127.0.0.1'], now, days: validDays })
    this.#authority = authority.certificate
    await writeFile(this.path('certs', 'ca.pem'), authority.certificate)
    await writeFile(this.path('certs', 'gateway.pem'), gateway.chain.join(''))
    await writeFile(this.path('certs', 'gateway.key'), gateway.key, { mode: 0o600 })
    return gateway
  }

  /** @returns the text of the configuration that was written. */
  async writeConfig(bootstrap: readonly string[], ports: DemoPorts): Promise<string> {
    const text = configText(bootstrap, ports)
    await writeFile(this.path('vkitm.yaml'), text)
    return text
  }

  /** For Java's command-line tools. */
  async writeClientProperties(): Promise<void> {
    const lines = [
      'security.protocol=SSL',
      'ssl.truststore.type=PEM',
      `ssl.truststore.location=${this.path('certs', 'ca.pem')}`,
    ]
    await writeFile(this.path('client.properties'), `${lines.join('\n')}\n`)
  }

  /** For those who cannot wait: the process is about to end. */
  removeNow(): void {
    const pause = new Int32Array(new SharedArrayBuffer(4))
    // A file that another thread is making right now brings its folder back: looked for again, and a bounded number of times.
    for (let tries = 0; tries < 5 && existsSync(this.folder); tries++) {
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 })
      Atomics.wait(pause, 0, 0, 20)
    }
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true })
  }
}

function configText(bootstrap: readonly string[], ports: DemoPorts): string {
  return `clusters:
  - name: demo
    upstream:
      bootstrap: [${bootstrap.join(', ')}]
    listeners:
      - name: clients
        bind: 127.0.0.1:${ports.bootstrap}
        advertise: ${gatewayHost}:${ports.bootstrap}
        expose: ports
        brokerPorts: ${ports.firstBroker}-${ports.lastBroker}
        tls:
          certificate: certs/gateway.pem
          key: certs/gateway.key
    policy: none
admin: { bind: 127.0.0.1:${ports.admin} }
`
}
