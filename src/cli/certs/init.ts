import { AuthorityFolder } from '../../gateway/authority-folder.ts'
import { type Command, ExitCode, parseOptions, print } from '../command.ts'
import { folderOf, folderOption, keyOption, keyTypeOf } from './options.ts'

export const certsInit: Command = {
  usage: '--dir D [--name NAME] [--rsa]',
  summary: 'makes a private CA: a root and an issuing CA below it, with their revocation lists',
  help: `  --dir D      the folder; nothing in it is overwritten
  --name NAME  what the CA is called; default: vkitm
  --rsa        RSA-3072 instead of P-256

Everything that trusts ca.pem trusts whoever can read root.key or issuing.key.`,
  async run(args) {
    const options = { ...folderOption, ...keyOption, name: { type: 'string' } } as const
    const { values } = parseOptions({ args: [...args], options })
    const folder = folderOf(values.dir, 'init')
    const { name = 'vkitm', rsa } = values
    await AuthorityFolder.init(folder, { name, keyType: keyTypeOf(rsa), now: new Date() })
    print(`a CA is in ${folder}:
  ca.pem                 for those who trust it: ssl.ca, clientCa, a trust store
  root.crl, issuing.crl  its revocation lists, for crl; good for 30 days
  root.key, issuing.key  its keys; root.key can be kept elsewhere once nothing more is to be revoked by it
issue a server's certificate: vkitm certs issue gateway --dir ${folder} --san kafka.example.com`)
    return ExitCode.fine
  },
}
