/**
 * A private CA in a folder: a root, an issuing CA below it, their revocation lists, and what they issued. Whoever can
 * read `root.key` or `issuing.key` can become anybody; the folder is for a development or a small private CA.
 */
import { X509Certificate } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readBounded } from '../config/bounded-read.ts'
import { VkitmError } from '../errors.ts'
import {
  createIssuing,
  createRoot,
  type Issued,
  issueClient,
  issueServer,
  type KeyType,
  renew,
} from '../tls/certificate-authority.ts'
import { issueRevocationList, type Revocation } from '../tls/issue-revocation-list.ts'
import { readPem } from '../tls/pem.ts'
import { readRevocationLists } from '../tls/revocation-list.ts'
import { alone, PRIVATE, PUBLIC, writeAtomic } from './atomic-files.ts'

export interface InitOptions {
  /** Common to the names of both CAs. */
  readonly name: string
  readonly keyType: KeyType
  readonly now: Date
}

export interface IssueOptions {
  readonly name: string
  readonly use: 'server' | 'client'
  readonly names: readonly string[]
  readonly subject?: string
  readonly keyType: KeyType
  readonly days?: number
  readonly now: Date
}

export interface RenewOptions {
  readonly name: string
  readonly isNewKey: boolean
  readonly days?: number
  readonly now: Date
}

type Ca = 'root' | 'issuing'

interface Register {
  /** Of the last lists. */
  readonly listNumber: number
  readonly revoked: readonly { readonly ca: Ca; readonly serial: string; readonly at: string }[]
}

const CAS: readonly Ca[] = ['root', 'issuing']
const RESERVED = new Set(['root', 'issuing', 'ca', 'authority'])
const LIST_DAYS = 30

export class AuthorityFolder {
  readonly folder: string
  readonly root: Issued
  readonly issuing: Issued

  private constructor(folder: string, root: Issued, issuing: Issued) {
    this.folder = folder
    this.root = root
    this.issuing = issuing
  }

  static async init(folder: string, { name, keyType, now }: InitOptions): Promise<AuthorityFolder> {
    await mkdir(folder, { recursive: true, mode: 0o755 })
    const root = createRoot({ subject: `CN=${escaped(name)} root`, keyType, now })
    const issuing = createIssuing(root, { subject: `CN=${escaped(name)} issuing`, keyType, now })
    const authority = new AuthorityFolder(folder, root, issuing)
    // First what must not be there yet: a folder that holds a CA is left as it is.
    await authority.#write('root.key', root.key, PRIVATE)
    await authority.#write('issuing.key', issuing.key, PRIVATE)
    await authority.#write('root.pem', root.certificate, PUBLIC)
    await authority.#write('issuing.pem', issuing.certificate, PUBLIC)
    await authority.#write('ca.pem', root.certificate + issuing.certificate, PUBLIC)
    await authority.#write('authority.json', registerText({ listNumber: 0, revoked: [] }), PRIVATE)
    await authority.writeLists(now)
    return authority
  }

  static async open(folder: string): Promise<AuthorityFolder> {
    const [root, rootKey, issuing, issuingKey] = await Promise.all(
      ['root.pem', 'root.key', 'issuing.pem', 'issuing.key'].map(name => readText(folder, name)),
    )
    return new AuthorityFolder(
      folder,
      { certificate: root!, key: rootKey!, chain: [root!] },
      { certificate: issuing!, key: issuingKey!, chain: [issuing!] },
    )
  }

  /** @returns what was issued, which stands in `NAME.pem` and `NAME.key` now. */
  async issue({ name, use, names, subject, ...validity }: IssueOptions): Promise<Issued> {
    checkName(name)
    const issued =
      use === 'server'
        ? issueServer(this.issuing, { ...validity, names, ...(subject !== undefined && { subject }) })
        : issueClient(this.issuing, { ...validity, names, subject: subject ?? `CN=${escaped(name)}` })
    await this.#write(`${name}.key`, issued.key, PRIVATE)
    await this.#write(`${name}.pem`, issued.chain.join(''), PUBLIC)
    return issued
  }

  /** Replaces `NAME.pem`, and `NAME.key` where a new key is wanted. */
  async renew({ name, isNewKey, days, now }: RenewOptions): Promise<Issued> {
    const [leaf] = await this.chainOf(name)
    const key = await readText(this.folder, `${name}.key`)
    if (!isOf(leaf!, this.issuing)) {
      throw new VkitmError(
        'VKITM_CERTS',
        `${join(this.folder, `${name}.pem`)} was not issued by the CA of ${this.folder}`,
      )
    }
    const issued = renew(this.issuing, {
      certificate: leaf!.toString(),
      now,
      ...(days !== undefined && { days }),
      ...(isNewKey ? {} : { key }),
    })
    if (isNewKey) await this.#write(`${name}.key`, issued.key, PRIVATE, true)
    await this.#write(`${name}.pem`, issued.chain.join(''), PUBLIC, true)
    return issued
  }

  async chainOf(name: string): Promise<X509Certificate[]> {
    return readPem(Buffer.from(await readText(this.folder, `${name}.pem`))).map(({ text }) => new X509Certificate(text))
  }

  /** Names of what was issued and is still in the folder. */
  async issuedNames(): Promise<string[]> {
    const entries = new Set(await readdir(this.folder))
    return [...entries]
      .filter(entry => entry.endsWith('.pem') && entries.has(entry.replace(/\.pem$/, '.key')))
      .map(entry => entry.slice(0, -'.pem'.length))
      .filter(name => !RESERVED.has(name))
      .sort()
  }

  /** Enters the certificate in the list of whoever issued it. @returns false where it stood there already. */
  async revoke(certificate: X509Certificate, now: Date): Promise<boolean> {
    const ca = CAS.find(each => isOf(certificate, this[each]))
    if (ca === undefined || certificate.fingerprint256 === new X509Certificate(this.root.certificate).fingerprint256) {
      throw new VkitmError('VKITM_CERTS', `${certificate.subject} was not issued by the CA of ${this.folder}`)
    }
    const { serialNumber: serial } = certificate
    let isNew = false
    await this.#change(register => {
      isNew = !register.revoked.some(each => each.ca === ca && each.serial === serial)
      return isNew ? { ...register, revoked: [...register.revoked, { ca, serial, at: now.toISOString() }] } : register
    }, now)
    return isNew
  }

  /** Fresh lists of both CAs, for the time that lists last. */
  writeLists(now: Date): Promise<void> {
    return this.#change(register => register, now)
  }

  /** When the first of the lists ends. */
  async listsEnd(): Promise<Date> {
    const lists = await Promise.all(
      CAS.map(async ca =>
        readRevocationLists({ path: `${ca}.crl`, content: Buffer.from(await readText(this.folder, `${ca}.crl`)) }),
      ),
    )
    return new Date(
      Math.min(...lists.flat().map(({ nextUpdate }) => nextUpdate?.getTime() ?? Number.POSITIVE_INFINITY)),
    )
  }

  async revocations(): Promise<Register['revoked']> {
    return (await this.#register()).revoked
  }

  #change(change: (register: Register) => Register, now: Date): Promise<void> {
    return alone(join(this.folder, 'authority.lock'), 'VKITM_CERTS', async () => {
      const before = await this.#register()
      const register = { ...change(before), listNumber: before.listNumber + 1 }
      await this.#write('authority.json', registerText(register), PRIVATE, true)
      for (const ca of CAS) await this.#write(`${ca}.crl`, this.#list(ca, register, now), PUBLIC, true)
    })
  }

  #list(ca: Ca, { revoked, listNumber: number }: Register, now: Date): string {
    const own = revoked
      .filter(each => each.ca === ca)
      .map(({ serial, at }): Revocation => ({ serial, at: new Date(at) }))
    return issueRevocationList(this[ca], { revoked: own, number, now, days: LIST_DAYS })
  }

  async #register(): Promise<Register> {
    return JSON.parse(await readText(this.folder, 'authority.json')) as Register
  }

  #write(name: string, content: string, mode: number, replace = false): Promise<void> {
    return writeAtomic(join(this.folder, name), content, { mode, replace })
  }
}

async function readText(folder: string, name: string): Promise<string> {
  const path = join(folder, name)
  try {
    return (await readBounded(path)).toString('utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const hint = RESERVED.has(name.replace(/\.\w+$/, '')) ? ': no CA is there; make one with vkitm certs init' : ''
    throw new VkitmError('VKITM_CERTS', `cannot read ${path} (${code})${hint}`, { cause })
  }
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/.test(name) && !RESERVED.has(name)) return
  throw new VkitmError(
    'VKITM_CERTS',
    `"${name}" cannot be the name of a file: letters, digits, dots, @, - and _, and not ${[...RESERVED].join(', ')}`,
  )
}

const escaped = (name: string): string => name.replace(/[,+"\\<>;=]/g, '\\$&')
const registerText = (register: Register): string => `${JSON.stringify(register, null, 2)}\n`

function isOf(certificate: X509Certificate, { certificate: pem }: Issued): boolean {
  const ca = new X509Certificate(pem)
  return certificate.checkIssued(ca) && certificate.verify(ca.publicKey)
}
