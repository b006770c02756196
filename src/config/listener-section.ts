/** Where clients connect, and what goes together there. */
import { ConfigError } from '../errors.ts'
import { parsePrincipalRules } from '../identity/principal-rules.ts'
import { isNamed } from '../tls/successor.ts'
import { loadIdentity } from '../tls/tls-identity.ts'
import { isWildcard } from './addresses.ts'
import type { ListenerConfig, PortRange } from './config.ts'
import { choice, listOf, name, notYet, text } from './formats.ts'
import {
  advertisedPortRange,
  bindAddress,
  network,
  type PortRangeDraft,
  portRange,
  remoteAddress,
} from './network-formats.ts'
import type { Place } from './place.ts'
import { listenerSasl } from './sasl-sections.ts'
import { type Draft, type Format, optional, required, section, withDefault } from './section.ts'
import { listenerTls } from './tls-sections.ts'

const DEFAULT_RULES = ['DEFAULT']

const expose: Format<'ports'> = {
  name: 'ports (sni and single: not available yet)',
  read(value, place) {
    if (value === 'sni' || value === 'single') {
      return place.problem(`${value} is not available yet: write expose: ports with brokerPorts`)
    }
    return choice(['ports', 'sni', 'single']).read(value, place) as 'ports' | undefined
  },
}

const mappingRule: Format<string> = {
  name: 'DEFAULT or RULE:pattern/replacement/',
  read(value, place) {
    const rule = text.read(value, place)
    if (rule === undefined) return undefined
    try {
      parsePrincipalRules([rule])
      return rule
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      const why = error.problems.map(({ message }) => message).join('; ')
      return place.problem(place.written === undefined ? why : `${place.shown(rule)} is no rule`)
    }
  },
}

const principal = section(
  {
    from: withDefault(
      "Where a client's certificate has its name: the subject, or its one alternative name of a kind.",
      choice(['subject', 'san:dns', 'san:email', 'san:uri']),
      'subject',
    ),
    rules: withDefault(
      "Kafka's mapping rules over that name; the first match wins.",
      listOf(mappingRule),
      DEFAULT_RULES,
    ),
  },
  { build: read => read },
)

const proxyProtocol = section(
  {
    trusted: required(
      'Where PROXY headers are believed from.',
      listOf(network),
      'write the networks of your load balancers',
    ),
  },
  { build: read => read },
)

const listenerLeaves = {
  name: required('Name in logs and metrics.', name, 'write a name for logs and metrics'),
  bind: required('Where clients first connect.', bindAddress, 'write host:port, such as 0.0.0.0:9092'),
  advertise: optional(
    'What clients are told; its host is that of every broker too. Required where bind is a wildcard. Default: bind.',
    remoteAddress,
  ),
  expose: required(
    'What clients see: every broker at its own port, at its own host name, or one virtual broker.',
    expose,
    'write expose: ports, so that every broker has its own port',
  ),
  brokerPorts: optional(
    'With expose: ports: the port of broker n is first + n − firstId. 9100-9199 is short for {first: 9100, count: 100, firstId: 0}.',
    portRange,
  ),
  advertiseBrokerPorts: optional(
    'Broker ports that clients are told, where they differ (port forwarding). Default: brokerPorts.',
    advertisedPortRange,
  ),
  brokerHost: optional(
    'With expose: sni: host names of the brokers.',
    notYet('expose: sni, which brokerHost belongs to, is', 'remove it'),
  ),
  tls: optional('TLS towards clients. Absent: plaintext.', listenerTls),
  principal: optional('Who a client with a certificate is.', principal),
  sasl: optional('SASL towards clients; who logs in is named by it, not by a certificate.', listenerSasl),
  proxyProtocol: optional('PROXY protocol, v1 and v2, from load balancers in front.', proxyProtocol),
} as const

export const listener: Format<ListenerConfig> = section(listenerLeaves, {
  check(draft, place) {
    place.key('name').claimName('listener', draft.name)
    claimSockets(draft, place)
    checkAdvertise(draft, place)
    checkBrokerPorts(draft, place)
    checkNames(draft, place)
    if (draft.principal !== undefined && (draft.tls?.clientAuth ?? 'none') === 'none') {
      place.key('principal').warning('is not used: no client is asked for a certificate (tls.clientAuth)')
    }
    checkMechanisms(draft, place)
  },
  build: ({
    advertise,
    brokerPorts,
    advertiseBrokerPorts,
    tls,
    proxyProtocol: proxies,
    principal: who,
    sasl,
    ...rest
  }) => ({
    name: rest.name,
    bind: rest.bind,
    advertise: advertise ?? rest.bind,
    expose: rest.expose,
    brokerPorts: brokerPorts!,
    advertiseBrokerPorts: advertisedPorts(brokerPorts!, advertiseBrokerPorts),
    principal: who ?? { from: 'subject', rules: DEFAULT_RULES },
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl }),
    ...(proxies === undefined ? {} : { proxyProtocol: proxies }),
  }),
})

type ListenerDraft = Draft<typeof listenerLeaves>

function claimSockets({ bind, brokerPorts }: ListenerDraft, place: Place): void {
  const { sockets } = place.reading
  if (bind) sockets.claim(place.key('bind'), bind.host, bind.port)
  if (bind && brokerPorts) sockets.claim(place.key('brokerPorts'), bind.host, brokerPorts.first, brokerPorts.count)
}

/** Without TLS anybody on the way reads what PLAIN and OAUTHBEARER send, and may try guesses against what SCRAM sends. */
function checkMechanisms({ tls, sasl }: ListenerDraft, place: Place): void {
  if (tls !== undefined || sasl === undefined || place.key('tls').hasProblem) return
  const mechanisms = place.key('sasl').key('mechanisms')
  for (const open of sasl.mechanisms.filter(one => one === 'PLAIN' || one === 'OAUTHBEARER')) {
    mechanisms.problem(
      `${open} sends its secret as it is, and this listener has no TLS: write tls, or take ${open} out`,
    )
  }
  if (sasl.mechanisms.some(one => one.startsWith('SCRAM'))) {
    mechanisms.warning('SCRAM without TLS: whoever listens can guess passwords at leisure, and change what passes')
  }
}

function checkAdvertise({ bind, advertise }: ListenerDraft, place: Place): void {
  if (bind === undefined || advertise !== undefined || !isWildcard(bind.host)) return
  place
    .key('advertise')
    .missing(`bind is a wildcard; write the host:port that clients connect to, such as kafka.example.com:${bind.port}`)
}

/** Clients compare the host they were told with the certificate. Some are told not to, so that this is no error. */
function checkNames({ tls, advertise, bind }: ListenerDraft, place: Place): void {
  const host = (advertise ?? bind)?.host
  if (tls === undefined || host === undefined || isWildcard(host)) return
  const { identity } = tls
  const file = identity.kind === 'pem' ? identity.certificate : identity.store
  const needed = identity.kind === 'pem' ? [file, identity.key] : [file]
  const { files, now } = place.reading
  files.expectWhereGood(needed, place.key('tls').key('certificate'), () => {
    const { certificate } = loadIdentity(identity, { purpose: 'server', now })
    if (!isNamed(certificate, host))
      place.key('tls').key('certificate').warning(`does not name ${host}, where clients connect`)
  })
}

function checkBrokerPorts(
  { expose: exposure, brokerPorts, advertiseBrokerPorts: told }: ListenerDraft,
  place: Place,
): void {
  if (exposure === 'ports' && brokerPorts === undefined) {
    place.key('brokerPorts').missing('write brokerPorts: 9100-9199, one port for each broker id')
  }
  if (brokerPorts === undefined || told === undefined) return
  const { count, firstId } = advertisedPorts(brokerPorts, told)
  if (count !== brokerPorts.count || firstId !== brokerPorts.firstId) {
    place
      .key('advertiseBrokerPorts')
      .problem(
        `must be as many as brokerPorts (${brokerPorts.count} from broker ${brokerPorts.firstId}): write {first: ${told.first}}`,
      )
  }
}

function advertisedPorts(bound: PortRange, told: PortRangeDraft | undefined): PortRange {
  return {
    first: told?.first ?? bound.first,
    count: told?.count ?? bound.count,
    firstId: told?.firstId ?? bound.firstId,
  }
}
