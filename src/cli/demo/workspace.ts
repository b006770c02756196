/** The demo's folder: certificates, policy, the gateway's configuration and log, and what clients need to connect. */
import { existsSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { shippedModels } from '../../acl/policy/shipped-models.ts'
import { createRoot, type Issued, issueClient, issueServer } from '../../tls/certificate-authority.ts'
import type { Identity } from './demo-connection.ts'
import type { DemoPorts } from './free-ports.ts'
import { policyText, type User, users } from './policy.ts'

export const gatewayHost = 'localhost'
const validDays = 7
const keyFileMode = 0o600

export class Workspace {
  readonly folder: string
  readonly #identities = new Map<User, Identity>()
  #authority = ''

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<Workspace> {
    const workspace = new Workspace(await mkdtemp(join(tmpdir(), 'vkitm-demo-')))
    await mkdir(workspace.path('certs'))
    return workspace
  }

  /** PEM of the authority that clients trust, and that signs theirs. */
  get authority(): string {
    return this.#authority
  }

  identityOf(user: User): Identity {
    return this.#identities.get(user)!
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
    await this.#write('gateway', gateway)
    for (const user of users) {
      const issued = issueClient(authority, { subject: `CN=${user}`, now, days: validDays })
      this.#identities.set(user, { certificate: issued.chain.join(''), key: issued.key })
      await this.#write(user, issued)
    }
    return gateway
  }

  async #write(name: string, { chain, key }: Issued): Promise<void> {
    await writeFile(this.path('certs', `${name}.pem`), chain.join(''))
    await writeFile(this.path('certs', `${name}.key`), key, { mode: keyFileMode })
  }

  /** Whole or not at all: the gateway looks at any time. @returns the text that was written. */
  async writePolicy(rule: string): Promise<string> {
    const text = policyText(rule)
    await writeFile(this.path('model.conf'), shippedModels.plain)
    await writeFile(this.path('policy.csv.new'), text)
    await rename(this.path('policy.csv.new'), this.path('policy.csv'))
    return text
  }

  /** @returns the text of the configuration that was written. */
  async writeConfig(bootstrap: readonly string[], ports: DemoPorts): Promise<string> {
    const text = configText(bootstrap, ports)
    await writeFile(this.path('vkitm.yaml'), text)
    return text
  }

  /** For librdkafka's clients and for Java's command-line tools: who they are and where to. */
  async writeClients(bootstrap: string): Promise<void> {
    for (const user of users) {
      const [ca, certificate, key] = ['ca.pem', `${user}.pem`, `${user}.key`].map(name => this.path('certs', name))
      const librdkafka = [
        `bootstrap.servers=${bootstrap}`,
        'security.protocol=ssl',
        `ssl.ca.location=${ca}`,
        `ssl.certificate.location=${certificate}`,
        `ssl.key.location=${key}`,
      ]
      await writeFile(this.path(`${user}.conf`), `${librdkafka.join('\n')}\n`)
      // Java wants the key and the chain in one file.
      const { key: keyText, certificate: chainText } = this.identityOf(user)
      await writeFile(this.path('certs', `${user}.both.pem`), keyText + chainText, { mode: keyFileMode })
      const java = [
        'security.protocol=SSL',
        'ssl.truststore.type=PEM',
        `ssl.truststore.location=${ca}`,
        'ssl.keystore.type=PEM',
        `ssl.keystore.location=${this.path('certs', `${user}.both.pem`)}`,
      ]
      await writeFile(this.path(`${user}.properties`), `${java.join('\n')}\n`)
    }
  }

  /** What policies decided so far, a line each. */
  async auditLines(): Promise<readonly string[]> {
    return (await readFile(this.path('audit.log'), 'utf8')).split('\n').filter(line => line !== '')
  }

  /** For those who cannot wait: the process is about to end. */
  removeNow(): void {
    const pause = new Int32Array(new SharedArrayBuffer(4))
    // A file that another thread is making right now brings its folder back: looked for again, and a bounded number of times.
    for (let triesLeft = 5; triesLeft > 0 && existsSync(this.folder); triesLeft--) {
      try {
        rmSync(this.folder, { recursive: true, force: true })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' || triesLeft === 1) throw error
      }
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
          clientCa: certs/ca.pem
          clientAuth: require
        principal:
          rules: ["RULE:^CN=([^,]+).*$/$1/"]
    policy:
      model: model.conf
      rules: policy.csv
admin: { bind: 127.0.0.1:${ports.admin} }
audit: { file: audit.log }
`
}
