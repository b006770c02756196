/**
 * The gateway before one Kafka of the pair, with a policy imported from the access rules of the other: once for clients
 * with a certificate, once for those who log in.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { aclsToPolicy, type Acl as PrintedAcl } from '../../../src/acl/policy/acls-to-policy.ts'
import type { ListenerConfig } from '../../../src/config/config.ts'
import { usersOf } from '../../sasl/scram-peers.ts'
import { startTestGateway } from '../test-gateway.ts'
import type { Acl } from './acl.ts'
import { type Clients, createDoor, principalRule } from './cluster.ts'
import type { Door } from './side.ts'
import { passwords } from './world.ts'

export interface ParityGateway {
  readonly door: Door
  readonly enforce: (acls: readonly Acl[]) => Promise<void>
  /** What the gateway said of connections that it closed. */
  complaints(): string[]
  stop(): Promise<void>
}

export interface ParityGatewayOptions {
  readonly clients: Clients
  /** Where the gateway is a super user. */
  readonly brokerPort: number
  readonly folder: string
}

export async function startParityGateway(options: ParityGatewayOptions): Promise<ParityGateway> {
  const { clients, brokerPort, folder } = options
  const rulesFile = join(folder, 'policy.csv')
  writeFileSync(rulesFile, 'p, User:nobody, topic, nothing, read, allow\n')
  const { certificate, key, ca } = clients.server
  const identity = { kind: 'pem', certificate: content(certificate), key: content(key) } as const
  const tls = { identity, minVersion: 'TLSv1.2', crl: [] } as const
  const before = (listener: Partial<ListenerConfig>) =>
    startTestGateway({
      upstream: { bootstrap: [{ host: '127.0.0.1', port: brokerPort }] },
      listener,
      // What the rules allow is what Kafka allows: nothing is closed beside them.
      policy: { rulesFile, refuse: [], internalTopics: 'judged' },
    })
  const certificates = await before({
    tls: { ...tls, clientCa: { kind: 'pem', ...content(ca) }, clientAuth: 'require' },
    principal: { rules: [principalRule] },
  })
  const usersFile = join(folder, 'users.json')
  writeFileSync(usersFile, (await usersOf(passwords)).toText())
  const logins = await before({
    tls: { ...tls, clientAuth: 'none' },
    sasl: { mechanisms: ['SCRAM-SHA-256'], users: content(usersFile) },
  })
  const gateways = [certificates, logins]
  return {
    door: createDoor(clients, {
      adminPort: brokerPort,
      certificatesPort: certificates.port,
      loginsPort: logins.port,
    }),
    async enforce(acls) {
      writeFileSync(rulesFile, rulesOf(acls))
      await Promise.all(gateways.map(({ gateway }) => gateway.reload()))
    },
    complaints: () =>
      gateways.flatMap(({ log }) => log.lines()).flatMap(line => (line.err ? [JSON.stringify(line)] : [])),
    stop: async () => void (await Promise.all(gateways.map(gateway => gateway.stop()))),
  }
}

const content = (path: string) => ({ path, content: readFileSync(path) })

function rulesOf(acls: readonly Acl[]): string {
  const { model, rows, refusals } = aclsToPolicy(acls.map(asPrinted))
  if (model !== 'plain' || refusals.length > 0) throw new Error(`not imported: ${JSON.stringify(refusals)}`)
  return rows.map(row => `${row}\n`).join('')
}

function asPrinted({ type, name, pattern, principal, host, operation, permission }: Acl): PrintedAcl {
  return {
    resourceType: upperSnake(type),
    resourceName: name,
    patternType: upperSnake(pattern),
    principal,
    host,
    operation: upperSnake(operation),
    permissionType: upperSnake(permission),
  }
}

const upperSnake = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()
