import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { readBounded } from '../../config/bounded-read.ts'
import { UsageError } from '../../errors.ts'
import { AuthorityFolder } from '../../gateway/authority-folder.ts'
import { certificatesIn, type Examination, type Examined, examine } from '../../tls/examine.ts'
import { isPrivateKeyLabel, readPem } from '../../tls/pem.ts'
import { readPkcs12 } from '../../tls/pkcs12/read-pkcs12.ts'
import { type RevocationList, readRevocationLists } from '../../tls/revocation-list.ts'
import { type Command, ExitCode, parseOptions, print } from '../command.ts'
import { folderOption, passwordFrom, passwordOption } from './options.ts'

interface Shown extends Examination {
  readonly file: string
}

interface Opened {
  readonly chain: readonly X509Certificate[]
  readonly key?: KeyObject
}

export const certsShow: Command = {
  usage: '[FILE …] [--dir D] [--json]',
  summary: 'shows certificates: chain, dates, names, fingerprints, and what is wrong with them',
  help: `  FILE                   PEM or PKCS#12, of whomever; a key beside it (FILE.key) is compared
  --dir D                all that the CA in D issued, and itself; its lists say what is revoked
  --password-file FILE   the password of a PKCS#12 file
  --json                 for scripts

Ends with 1 where something is wrong.`,
  async run(args) {
    const options = { ...folderOption, ...passwordOption, json: { type: 'boolean' } } as const
    const { values, positionals } = parseOptions({ args: [...args], options, allowPositionals: true })
    const { dir } = values
    const files = [...positionals, ...(dir === undefined ? [] : await filesOf(dir))]
    if (files.length === 0) throw new UsageError('certs show needs a FILE, or --dir D')
    const revocations = dir === undefined ? [] : await listsOf(dir)
    const shown: Shown[] = []
    for (const file of files) shown.push(await show(file, revocations, values['password-file']))
    print(values.json ? JSON.stringify(shown, null, 2) : shown.map(asText).join('\n\n'))
    return shown.some(({ problems }) => problems.length > 0) ? ExitCode.failed : ExitCode.fine
  },
}

async function filesOf(folder: string): Promise<string[]> {
  const names = await (await AuthorityFolder.open(folder)).issuedNames()
  return ['root', 'issuing', ...names].map(name => join(folder, `${name}.pem`))
}

async function listsOf(folder: string): Promise<RevocationList[]> {
  const paths = ['root.crl', 'issuing.crl'].map(name => join(folder, name))
  const files = await Promise.all(paths.map(async path => ({ path, content: await readBounded(path) })))
  return files.flatMap(readRevocationLists)
}

async function show(file: string, revocations: readonly RevocationList[], passwordFile?: string): Promise<Shown> {
  const { chain, key } = await opened(file, passwordFile)
  return { file, ...examine(chain, { now: new Date(), revocations, ...(key !== undefined && { key }) }) }
}

async function opened(file: string, passwordFile: string | undefined): Promise<Opened> {
  const content = await readBounded(file)
  if (content[0] !== 0x30) {
    const key = await keyBeside(file)
    return { chain: certificatesIn(content), ...(key !== undefined && { key }) }
  }
  if (passwordFile === undefined) throw new UsageError(`${file} is PKCS#12: say its password with --password-file`)
  const { certificates, keys } = readPkcs12({ path: file, content, password: await passwordFrom(passwordFile) })
  const [entry] = keys
  const own = certificates.find(({ certificate }) => entry !== undefined && certificate.checkPrivateKey(entry.key))
  const others = certificates.filter(each => each !== own)
  return {
    chain: [...(own === undefined ? [] : [own]), ...others].map(({ certificate }) => certificate),
    ...(entry !== undefined && { key: entry.key }),
  }
}

/** An encrypted key, or one that may not be read, is not compared. */
async function keyBeside(file: string): Promise<KeyObject | undefined> {
  const content = await readBounded(file.replace(/\.[^.]+$/, '.key')).catch(() => undefined)
  const block = content && readPem(content).find(({ label }) => isPrivateKeyLabel(label))
  if (block === undefined || block.text.includes('ENCRYPTED')) return undefined
  return createPrivateKey(block.text)
}

function asText({ file, chain, problems }: Shown): string {
  const verdict = problems.length === 0 ? 'fine' : problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return [`${file}: ${verdict}`, ...problems.map(each => `  ! ${each}`), ...chain.map(certificateText)].join('\n')
}

function certificateText(each: Examined, at: number): string {
  const lines = [
    ['subject', each.subject],
    ['issuer', each.issuer],
    ['names', each.names],
    ['use', `${each.use}, ${each.key}`],
    ['valid', `${each.from.toISOString()} to ${each.until.toISOString()}`],
    ['serial', each.serial],
    ['SHA-256', each.fingerprint],
  ].filter(([, value]) => value !== '')
  return [`  certificate ${at + 1}`, ...lines.map(([name = '', value]) => `    ${name.padEnd(8)} ${value}`)].join('\n')
}
