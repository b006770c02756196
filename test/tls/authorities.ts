// A small private CA for tests, made anew in each process.
import { createIssuing, createRoot, issueClient, issueServer } from '../../src/tls/certificate-authority.ts'

export const now = new Date()
export const root = createRoot({ subject: 'CN=Test Root,O=vkitm', now })
export const issuing = createIssuing(root, { subject: 'CN=Test Issuing,O=vkitm', now })
export const server = issueServer(issuing, { names: ['localhost', '127.0.0.1', '::1'], now })
export const client = issueClient(issuing, { subject: 'CN=alice,OU=Payments,O=Acme', now })
export const strangerRoot = createRoot({ subject: 'CN=Stranger,O=Elsewhere', now })
export const stranger = issueClient(strangerRoot, { subject: 'CN=mallory', now })

export const file = (path: string, content: string | Buffer) => ({ path, content: Buffer.from(content) })
export const pem = (path: string, content: string | Buffer) => ({ kind: 'pem' as const, ...file(path, content) })
export const password = (value: string) => ({ reveal: () => value })

/** An issued certificate as the configuration would hand it over. */
export const identityOf = (issued: { readonly chain: readonly string[]; readonly key: string }) => ({
  kind: 'pem' as const,
  certificate: file('own.pem', issued.chain.join('')),
  key: file('own.key', issued.key),
})
