import { readFile } from 'node:fs/promises'
import { aclsToPolicy, type ImportedPolicy } from '../acl/policy/acls-to-policy.ts'
import { readPrintedAcls } from '../acl/policy/printed-acls.ts'
import { UsageError, VkitmError } from '../errors.ts'
import { type Command, complain, ExitCode, parseOptions, print } from './command.ts'

export const policyImport: Command = {
  usage: 'FILE [--allow-everyone] [--json]',
  summary: "prints the rules that decide what a cluster's own ACLs decide; exits with 1 where some cannot be said",
  help: `  FILE               what kafka-acls --list printed
  --allow-everyone   the brokers have allow.everyone.if.no.acl.found=true
  --json             for scripts`,
  async run(args) {
    const { values, positionals } = parseOptions({
      args: [...args],
      options: { 'allow-everyone': { type: 'boolean' }, json: { type: 'boolean' } },
      allowPositionals: true,
    })
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) throw new UsageError('name one file, printed by kafka-acls --list')
    const { acls, notUnderstood } = readPrintedAcls(await readText(file))
    const imported = aclsToPolicy(acls, { allowEveryoneIfNoAclFound: values['allow-everyone'] ?? false })
    const lines = notUnderstood.map(({ line, text }) => ({
      what: `${file}:${line}: ${text}`,
      why: 'is no ACL as kafka-acls prints it',
    }))
    const all = { ...imported, refusals: [...imported.refusals, ...lines] }
    if (values.json) print(JSON.stringify(all, null, 2))
    else printRows(all)
    return all.refusals.length === 0 ? ExitCode.fine : ExitCode.failed
  },
}

function printRows({ model, rows, refusals }: ImportedPolicy): void {
  print([`# model: policies/${model === 'plain' ? 'model.conf' : 'model-with-host.conf'}`, ...rows].join('\n'))
  for (const { what, why } of refusals) complain(`vkitm: not imported: ${what}: ${why}`)
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new VkitmError('VKITM_POLICY', `${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
}
