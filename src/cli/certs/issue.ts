import { join } from 'node:path'
import { UsageError } from '../../errors.ts'
import { AuthorityFolder } from '../../gateway/authority-folder.ts'
import { type Command, ExitCode, parseOptions, print } from '../command.ts'
import { writeStores } from './key-store.ts'
import { daysOf, daysOption, folderOf, folderOption, keyOption, keyTypeOf, passwordOption } from './options.ts'

export const certsIssue: Command = {
  usage: 'NAME --dir D [--san NAMES] [--client] [--p12]',
  summary: "issues a server's or a client's certificate: NAME.pem with its chain, and NAME.key",
  help: `  --san NAMES            host names and addresses, with commas or several times; also email:… and uri:…;
                         a server needs one
  --client               for a client; its subject is CN=NAME
  --subject SUBJECT      another subject, such as CN=alice,OU=Payments,O=Acme
  --p12                  also NAME.p12 and NAME.truststore.p12 for Java, with a random password in NAME.p12.password
  --password-file FILE   their password, in the first line of FILE, or of standard input for -
  --days N               how long it is valid; default: 397
  --rsa                  RSA-3072 instead of P-256`,
  async run(args) {
    const options = {
      ...folderOption,
      ...keyOption,
      ...daysOption,
      ...passwordOption,
      san: { type: 'string', multiple: true },
      client: { type: 'boolean' },
      subject: { type: 'string' },
      p12: { type: 'boolean' },
    } as const
    const { values, positionals } = parseOptions({ args: [...args], options, allowPositionals: true })
    const [name, ...more] = positionals
    if (name === undefined || more.length > 0) throw new UsageError('certs issue needs one NAME for the files')
    const names = (values.san ?? []).flatMap(list => list.split(',')).map(each => each.trim())
    if (!values.client && names.length === 0) {
      throw new UsageError(
        "a server's certificate needs --san, the names clients connect to; for a client say --client",
      )
    }
    const authority = await AuthorityFolder.open(folderOf(values.dir, 'issue'))
    const issued = await authority.issue({
      name,
      names,
      use: values.client ? 'client' : 'server',
      ...(values.subject !== undefined && { subject: values.subject }),
      ...daysOf(values.days),
      keyType: keyTypeOf(values.rsa),
      now: new Date(),
    })
    const passwordFile = values['password-file']
    const stores = values.p12 ? await writeStores(authority, issued, { name, passwordFile }) : []
    const files = [`${name}.pem`, `${name}.key`].map(file => join(authority.folder, file))
    print(`issued:\n${[...files, ...stores].map(file => `  ${file}`).join('\n')}`)
    return ExitCode.fine
  },
}
