import { aclsToPolicy, type ImportedPolicy } from '../acl/policy/acls-to-policy.ts'
import { judgeAuthorizer } from '../acl/policy/authorizer-settings.ts'
import { readPrintedAcls } from '../acl/policy/printed-acls.ts'
import { loadConfig } from '../config/load-config.ts'
import { UsageError } from '../errors.ts'
import { readAuthorizer } from '../gateway/read-authorizer.ts'
import { type Command, complain, ExitCode, parseOptions, print } from './command.ts'
import { clusterOf, configOptions, readRulesText } from './policy-sources.ts'

export const policyImport: Command = {
  usage: 'FILE | --config FILE [--cluster NAME] [--super-user NAME] [--allow-everyone|--no-allow-everyone] [--json]',
  summary: "prints the rules that decide what a cluster's own ACLs decide; exits with 1 where some cannot be said",
  help: `  FILE                 what kafka-acls --list printed
  --config FILE        or: asks the running cluster behind this configuration, with the gateway's own identity, which
                       needs Describe and DescribeConfigs on the cluster
  --cluster NAME       of this cluster, where the configuration has several
  --super-user NAME    the brokers have super.users=NAME, which Kafka keeps to itself; may be given several times
  --allow-everyone     the brokers have allow.everyone.if.no.acl.found=true
  --no-allow-everyone  they have it, and it is false, which Kafka keeps to itself
  --json               for scripts`,
  async run(args) {
    const { values, positionals } = parseOptions({
      args: [...args],
      options: {
        ...configOptions,
        'super-user': { type: 'string', multiple: true },
        'allow-everyone': { type: 'boolean' },
        'no-allow-everyone': { type: 'boolean' },
        json: { type: 'boolean' },
      },
      allowPositionals: true,
    })
    if (values['allow-everyone'] && values['no-allow-everyone'])
      throw new UsageError('--allow-everyone and --no-allow-everyone: one of them')
    const told: Told = {
      superUsers: values['super-user'],
      allowEveryone: values['allow-everyone'] ?? (values['no-allow-everyone'] ? false : undefined),
    }
    const imported =
      values.config === undefined ? await fromFile(positionals, told) : await fromCluster(values.config, values, told)
    if (values.json) print(JSON.stringify(imported, null, 2))
    else printRows(imported)
    return imported.refusals.length === 0 ? ExitCode.fine : ExitCode.failed
  },
}

interface Told {
  readonly superUsers: readonly string[] | undefined
  readonly allowEveryone: boolean | undefined
}

interface Imported extends ImportedPolicy {
  /** For `policy.superUsers`: no rules say it. */
  readonly superUsers: readonly string[]
}

async function fromFile([file, ...more]: readonly string[], { superUsers = [], allowEveryone = false }: Told) {
  if (file === undefined || more.length > 0)
    throw new UsageError('name one file, printed by kafka-acls --list, or --config FILE')
  const { acls, notUnderstood } = readPrintedAcls((await readRulesText(file)).text)
  const imported = aclsToPolicy(acls, { allowEveryoneIfNoAclFound: allowEveryone })
  const lines = notUnderstood.map(({ line, text }) => ({
    what: `${file}:${line}: ${text}`,
    why: 'is no ACL as kafka-acls prints it',
  }))
  return { ...imported, superUsers, refusals: [...imported.refusals, ...lines] }
}

async function fromCluster(file: string, values: { readonly cluster?: string | undefined }, told: Told) {
  const config = await loadConfig(file)
  const { acls, brokers } = await readAuthorizer(clusterOf(config, file, values), config)
  const { superUsers, refusals } = judgeAuthorizer(brokers, told)
  const imported = aclsToPolicy(acls ?? [])
  // Kafka tells them in any order: sorted, two imports differ only where the ACLs do.
  const rows = imported.rows.toSorted()
  return { ...imported, rows, superUsers, refusals: [...refusals, ...imported.refusals] }
}

function printRows({ model, rows, superUsers, reachesInternalTopics, refusals }: Imported): void {
  const lines = [`# model: policies/${model === 'plain' ? 'model.conf' : 'model-with-host.conf'}`]
  if (superUsers.length > 0) lines.push(`# policy.superUsers: ${JSON.stringify(superUsers)}`)
  if (reachesInternalTopics)
    lines.push('# policy.internalTopics: judged, to let prefixes reach __consumer_offsets as Kafka does')
  print([...lines, ...rows].join('\n'))
  for (const { what, why } of refusals) complain(`vkitm: not imported: ${what}: ${why}`)
}
