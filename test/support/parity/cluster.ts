/**
 * One Kafka of the pair: clients by certificate or by login, rules by StandardAuthorizer, the rig as a super user beside
 * them.
 */
import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { type Authority, type Certificate, createAuthority } from '../certificates.ts'
import { type Kafka, startKafka } from '../kafka.ts'
import { scram } from '../sasl.ts'
import type { Door } from './side.ts'
import { type PrincipalName, passwords, principals } from './world.ts'

export interface Clients {
  readonly authority: Authority
  readonly server: Certificate
  readonly certificates: Readonly<Record<PrincipalName, Certificate>>
}

export function createClients(folder: string): Clients {
  const authority = createAuthority(folder)
  const certificates = principals.map(name => [name, authority.client(name, `CN=${name}`)])
  return {
    authority,
    server: authority.server('server', ['localhost', '127.0.0.1']),
    certificates: Object.fromEntries(certificates),
  }
}

/** Names the common name, on both sides. */
export const principalRule = 'RULE:^CN=([^,]+).*$/$1/'

export interface ClusterOptions {
  readonly clients: Clients
  readonly autoCreates: boolean
}

export function startCluster({ clients, autoCreates }: ClusterOptions): Promise<Kafka> {
  const { certificate, key, ca } = clients.server
  return startKafka({
    listeners: [
      { name: 'PLAINTEXT', protocol: 'PLAINTEXT' },
      { name: 'CLIENTS', protocol: 'SSL' },
      { name: 'LOGINS', protocol: 'SASL_SSL' },
    ],
    tls: { certificate, key, ca, clientAuth: 'required' },
    format: Object.entries(passwords).flatMap(([name, password]) => [
      '--add-scram',
      `SCRAM-SHA-256=[name=${name},password=${password}]`,
    ]),
    properties: {
      'listener.name.logins.sasl.enabled.mechanisms': 'SCRAM-SHA-256',
      'listener.name.logins.scram-sha-256.sasl.jaas.config':
        'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      // Who comes without a certificate came by the plaintext listener: the rig, the gateway, the broker itself.
      'super.users': 'User:ANONYMOUS',
      'allow.everyone.if.no.acl.found': 'false',
      'ssl.principal.mapping.rules': `${principalRule},DEFAULT`,
      'auto.create.topics.enable': String(autoCreates),
      // Versions in the making are compared, too.
      'unstable.api.versions.enable': 'true',
      'transaction.two.phase.commit.enable': 'true',
      // Nothing may run out while a batch runs; the records are old on purpose.
      'log.retention.ms': '-1',
      'max.incremental.fetch.session.cache.slots': '100000',
      'group.consumer.max.session.timeout.ms': '3600000',
      'group.consumer.session.timeout.ms': '3600000',
      'group.share.max.session.timeout.ms': '3600000',
      'group.share.session.timeout.ms': '3600000',
      'group.share.record.lock.duration.ms': '60000',
      'group.streams.max.session.timeout.ms': '3600000',
      'group.streams.session.timeout.ms': '3600000',
      'delete.topic.enable': 'true',
    },
  })
}

export function doorOf(kafka: Kafka, clients: Clients): Door {
  const { port, ports } = kafka.brokers[0]!
  return createDoor(clients, { adminPort: port, certificatesPort: ports.CLIENTS!, loginsPort: ports.LOGINS! })
}

export interface Ports {
  readonly adminPort: number
  readonly certificatesPort: number
  readonly loginsPort: number
}

export function createDoor(clients: Clients, { adminPort, certificatesPort, loginsPort }: Ports): Door {
  return {
    adminPort,
    clientOptions: name => clientOptions(clients, name, passwords[name] === undefined ? certificatesPort : loginsPort),
    login: name => (passwords[name] === undefined ? undefined : scram(name, passwords[name])),
  }
}

function clientOptions({ certificates, authority }: Clients, name: PrincipalName, port: number): ConnectionOptions {
  const { certificate, key } = certificates[name]
  const read = (file: string) => readFileSync(file)
  return { host: '127.0.0.1', port, ca: read(authority.ca), cert: read(certificate), key: read(key) }
}
