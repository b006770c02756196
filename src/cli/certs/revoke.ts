import type { X509Certificate } from 'node:crypto'
import { readBounded } from '../../config/bounded-read.ts'
import { UsageError, VkitmError } from '../../errors.ts'
import { AuthorityFolder } from '../../gateway/authority-folder.ts'
import { certificatesIn } from '../../tls/examine.ts'
import { type Command, ExitCode, parseOptions, print } from '../command.ts'
import { folderOf, folderOption } from './options.ts'

export const certsRevoke: Command = {
  usage: '[NAME | FILE.pem] --dir D',
  summary: 'enters a certificate in the revocation list of its CA; without one, writes fresh lists',
  help: `  NAME        as it was issued
  FILE.pem    a certificate from elsewhere: its copy, or one that was renewed since

root.crl and issuing.crl are written anew, good for 30 days. A gateway that follows them lets the client in no more within
seconds and closes its connections.`,
  async run(args) {
    const { values, positionals } = parseOptions({ args: [...args], options: folderOption, allowPositionals: true })
    const [what, ...more] = positionals
    if (more.length > 0) throw new UsageError('certs revoke takes one certificate at a time')
    const authority = await AuthorityFolder.open(folderOf(values.dir, 'revoke'))
    if (what === undefined) {
      await authority.writeLists(new Date())
      print(`fresh lists are in ${authority.folder}: root.crl, issuing.crl`)
      return ExitCode.fine
    }
    const certificate = await find(authority, what)
    const isNew = await authority.revoke(certificate, new Date())
    print(`${certificate.subject} (${certificate.serialNumber}) ${isNew ? 'is revoked' : 'was revoked already'}`)
    return ExitCode.fine
  },
}

async function find(authority: AuthorityFolder, what: string): Promise<X509Certificate> {
  const chain = what.endsWith('.pem') ? certificatesIn(await readBounded(what)) : await authority.chainOf(what)
  const [certificate] = chain
  if (certificate === undefined) throw new VkitmError('VKITM_CERTS', `${what}: there is no certificate in it`)
  return certificate
}
