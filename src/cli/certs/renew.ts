import { UsageError } from '../../errors.ts'
import { AuthorityFolder } from '../../gateway/authority-folder.ts'
import { type Command, ExitCode, parseOptions, print } from '../command.ts'
import { renewStores } from './key-store.ts'
import { daysOf, daysOption, folderOf, folderOption, passwordOption } from './options.ts'

export const certsRenew: Command = {
  usage: 'NAME --dir D [--new-key] [--days N]',
  summary: 'issues a certificate once more: same subject, names and use; NAME.pem is replaced in one step',
  help: `  --new-key              with a new key; without it the key stays
  --days N               how long it is valid; default: as long as before
  --password-file FILE   the password of NAME.p12, where there is one and no NAME.p12.password

A gateway that serves it takes the new one within a second or two, without closing anything.`,
  async run(args) {
    const options = { ...folderOption, ...daysOption, ...passwordOption, 'new-key': { type: 'boolean' } } as const
    const { values, positionals } = parseOptions({ args: [...args], options, allowPositionals: true })
    const [name, ...more] = positionals
    if (name === undefined || more.length > 0) throw new UsageError('certs renew needs one NAME, as it was issued')
    const authority = await AuthorityFolder.open(folderOf(values.dir, 'renew'))
    const isNewKey = values['new-key'] ?? false
    const issued = await authority.renew({ name, isNewKey, ...daysOf(values.days), now: new Date() })
    const stores = await renewStores(authority, issued, { name, passwordFile: values['password-file'] })
    const [leaf] = await authority.chainOf(name)
    print(`${name} is renewed until ${leaf!.validTo}${isNewKey ? ', with a new key' : ''}`)
    for (const file of stores) print(`  ${file}`)
    return ExitCode.fine
  },
}
