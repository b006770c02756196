// A certificate authority for one test run, and what it signs, as the files that configurations name.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createIssuing,
  createRoot,
  type Issued,
  issueClient,
  issueServer,
} from '../../src/tls/certificate-authority.ts'

export interface Certificate {
  /** PEM, leaf first. */
  readonly certificate: string
  readonly key: string
  /** PEM of the root above it. */
  readonly ca: string
}

export interface Authority {
  /** PEM file of the root. */
  readonly ca: string
  server(file: string, names: readonly string[]): Certificate
  client(file: string, subject: string): Certificate
}

const now = new Date()
const defaultDays = 2

export interface AuthorityOptions {
  /** Of the root. */
  readonly name?: string
  readonly days?: number
}

/** A root and an issuing authority below it: whoever checks has to build a chain. */
export function createAuthority(
  folder: string,
  { name = 'vkitm test', days = defaultDays }: AuthorityOptions = {},
): Authority {
  mkdirSync(folder, { recursive: true })
  const root = createRoot({ subject: `CN=${name} root`, now, days })
  const issuing = createIssuing(root, { subject: `CN=${name} issuing`, now, days })
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, root.certificate)

  function save(file: string, issued: Issued): Certificate {
    const certificate = join(folder, `${file}.pem`)
    const key = join(folder, `${file}.key`)
    writeFileSync(certificate, issued.chain.join(''))
    writeFileSync(key, issued.key, { mode: 0o600 })
    return { certificate, key, ca }
  }

  return {
    ca,
    server: (file, names) => save(file, issueServer(issuing, { names, now, days })),
    client: (file, subject) => save(file, issueClient(issuing, { subject, now, days })),
  }
}
