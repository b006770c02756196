/** One broker with a listener for every way to come to it, each with one mechanism or none, and who came there as whom. */
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Certificate } from './certificates.ts'
import { type Kafka, type KafkaListener, startKafka } from './kafka.ts'
import { backs, type Side } from './matrix-cells.ts'
import { audience, issuer } from './signed-token.ts'

/** Users of the broker. */
export const back = { gateway: 'back-gateway', carol: 'back-carol', mapped: 'back-mapped' } as const

export const listenerOf = ({ transport, login }: Side): string =>
  `${transport}_${login.replaceAll('-', '')}`.toUpperCase()

export function startMatrixBroker(tls: Certificate, keySetFile: string): Promise<Kafka> {
  const jwks = pathToFileURL(keySetFile).href
  return startKafka({
    host: '127.0.0.1',
    listeners: backs.map(side => ({ name: listenerOf(side), protocol: protocolOf(side) })),
    tls,
    format: Object.entries(back).flatMap(([name, password]) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(kind => [
        '--add-scram',
        `${kind}=[name=${name},password=${password}]`,
      ]),
    ),
    properties: {
      'num.network.threads': '1',
      ...Object.assign({}, ...backs.map(side => propertiesOf(side, jwks))),
    },
    jvm: [
      `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${jwks}`,
      '-Dorg.slf4j.simpleLogger.log.kafka.request.logger=debug',
    ],
  })
}

function protocolOf({ transport, login }: Side): KafkaListener['protocol'] {
  if (login === 'none') return transport === 'plaintext' ? 'PLAINTEXT' : 'SSL'
  return transport === 'plaintext' ? 'SASL_PLAINTEXT' : 'SASL_SSL'
}

function propertiesOf(side: Side, jwks: string): Record<string, string> {
  const { transport, login } = side
  const properties: Record<string, string> = {}
  if (transport === 'mTLS') properties['ssl.client.auth'] = 'required'
  if (login !== 'none') properties['sasl.enabled.mechanisms'] = login
  if (login === 'PLAIN') {
    const users = Object.entries(back).map(([name, password]) => `user_${name}="${password}"`)
    properties['plain.sasl.jaas.config'] = `${module('plain.PlainLoginModule')} ${users.join(' ')};`
  }
  if (login.startsWith('SCRAM'))
    properties[`${login.toLowerCase()}.sasl.jaas.config`] = `${module('scram.ScramLoginModule')};`
  if (login === 'OAUTHBEARER') Object.assign(properties, tokenProperties(jwks))
  const prefix = `listener.name.${listenerOf(side).toLowerCase()}.`
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [prefix + key, value]))
}

const security = 'org.apache.kafka.common.security'
const module = (name: string): string => `${security}.${name} required`

const tokenProperties = (jwks: string): Record<string, string> => ({
  'oauthbearer.sasl.jaas.config': `${module('oauthbearer.OAuthBearerLoginModule')};`,
  'oauthbearer.sasl.server.callback.handler.class': `${security}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
  'sasl.oauthbearer.jwks.endpoint.url': jwks,
  'sasl.oauthbearer.expected.audience': audience,
  'sasl.oauthbearer.expected.issuer': issuer,
})

/** By consumer group: where its members joined, and as whom, as the broker's request log has it. */
export function joinedGroups(kafka: Kafka): Map<string, Set<string>> {
  const joined = new Map<string, Set<string>>()
  for (const line of readFileSync(kafka.brokers[0]!.logFile, 'utf8').split('\n')) {
    const [, json] = /kafka\.request\.logger - Completed request:(\{.*\})/.exec(line) ?? []
    if (json === undefined || !json.includes('JOIN_GROUP')) continue
    const { request, listener, principal } = JSON.parse(json)
    const { groupId } = request
    joined.set(groupId, (joined.get(groupId) ?? new Set()).add(`${listener} as ${principal}`))
  }
  return joined
}
