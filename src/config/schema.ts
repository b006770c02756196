/** The contract of DESIGN section 4 as convict schemas, section by section, from the inside out. */
import { isWildcard, printed } from './addresses.ts'
import type { AdminConfig, ClusterConfig, ListenerConfig, LogConfig, PortRange, UpstreamConfig } from './config.ts'
import { choice, listOf, name, notYet, secret, text } from './formats.ts'
import { limits } from './limits-section.ts'
import {
  advertisedPortRange,
  bindAddress,
  hostPattern,
  network,
  type PortRangeDraft,
  portRange,
  remoteAddress,
} from './network-formats.ts'
import type { Place } from './place.ts'
import { type Draft, type Format, optional, required, section, withDefault } from './section.ts'
import { listenerTls, upstreamTls } from './tls-sections.ts'

const SASL_NOT_YET = 'remove it and name clients by certificate (tls.clientAuth), or let the brokers ask'

const upstream: Format<UpstreamConfig> = section(
  {
    bootstrap: required(
      'Brokers to begin with; every one is tried.',
      listOf(remoteAddress),
      'write a list of host:port',
    ),
    allow: optional(
      'Hosts that metadata may send us to. Default: all but link-local, unspecified and multicast, and loopback only where a bootstrap entry is loopback.',
      listOf(hostPattern),
    ),
    tls: optional('TLS towards the brokers; `{}` trusts the authorities Node trusts. Absent: plaintext.', upstreamTls),
    sasl: optional(
      'SASL towards the brokers.',
      notYet('SASL towards brokers is', 'remove it and use a client certificate (tls.certificate)'),
    ),
  },
  {
    check: ({ bootstrap = [] }, place) => {
      const addresses = bootstrap.map(({ host, port }) => printed(host, port))
      const doubled = addresses.find((address, index) => addresses.indexOf(address) < index)
      if (doubled !== undefined) place.key('bootstrap').problem(`names ${doubled} twice`)
    },
    build: ({ bootstrap, allow, tls }) => ({
      bootstrap,
      ...(allow === undefined ? {} : { allow }),
      ...(tls === undefined ? {} : { tls }),
    }),
  },
)

const expose: Format<'ports'> = {
  name: 'ports, sni, single',
  read(value, place) {
    if (value === 'sni' || value === 'single') {
      return place.problem(`${value} is not available yet: write expose: ports with brokerPorts`)
    }
    return choice(['ports', 'sni', 'single']).read(value, place) as 'ports' | undefined
  },
}

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
  principal: withDefault(
    'Who a client with a certificate is.',
    section(
      {
        rules: withDefault("Kafka's mapping rules over the subject; the first match wins.", listOf(text), ['DEFAULT']),
      },
      { build: read => read },
    ),
    {},
  ),
  sasl: optional('SASL towards clients.', notYet('SASL towards clients is', SASL_NOT_YET)),
  proxyProtocol: optional(
    'PROXY protocol, v1 and v2, from load balancers in front.',
    section(
      {
        trusted: required(
          'Where PROXY headers are believed from.',
          listOf(network),
          'write the networks of your load balancers',
        ),
      },
      { build: read => read },
    ),
  ),
} as const

const listener: Format<ListenerConfig> = section(listenerLeaves, {
  check(draft, place) {
    place.key('name').claimName('listener', draft.name)
    claimSockets(draft, place)
    checkAdvertise(draft, place)
    checkBrokerPorts(draft, place)
  },
  build: ({
    advertise,
    brokerPorts,
    advertiseBrokerPorts,
    tls,
    proxyProtocol,
    name: listenerName,
    bind,
    expose: exposure,
    principal,
  }) => ({
    name: listenerName,
    bind,
    advertise: advertise ?? bind,
    expose: exposure,
    brokerPorts: brokerPorts!,
    advertiseBrokerPorts: advertisedPorts(brokerPorts!, advertiseBrokerPorts),
    principal,
    ...(tls === undefined ? {} : { tls }),
    ...(proxyProtocol === undefined ? {} : { proxyProtocol }),
  }),
})

type ListenerDraft = Draft<typeof listenerLeaves>

function claimSockets({ bind, brokerPorts }: ListenerDraft, place: Place): void {
  const { sockets } = place.reading
  if (bind) sockets.claim(place.key('bind'), bind.host, bind.port)
  if (bind && brokerPorts) sockets.claim(place.key('brokerPorts'), bind.host, brokerPorts.first, brokerPorts.count)
}

function checkAdvertise({ bind, advertise }: ListenerDraft, place: Place): void {
  if (bind === undefined || advertise !== undefined || !isWildcard(bind.host)) return
  place
    .key('advertise')
    .missing(`bind is a wildcard; write the host:port that clients connect to, such as kafka.example.com:${bind.port}`)
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

const policy: Format<'none'> = {
  name: 'none',
  read(value, place) {
    if (value !== 'none') {
      return place.problem(
        "policies are not available yet: write policy: none, which leaves every decision to the brokers' own ACLs",
      )
    }
    place.warning("is none: only the brokers' own ACLs apply")
    return 'none'
  },
}

const cluster: Format<ClusterConfig> = section(
  {
    name: required('Name in logs and metrics.', name, 'write a name for logs and metrics'),
    upstream: required('The brokers.', upstream, 'write upstream with bootstrap: [host:port]'),
    listeners: required('Where clients connect.', listOf(listener), 'write a list of listeners'),
    policy: required(
      "Who may do what; none leaves it to the brokers' own ACLs.",
      policy,
      "write policy: none to let only the brokers' own ACLs decide",
    ),
    interceptors: optional('Changes to messages on the way.', notYet('interceptors are', 'remove them')),
  },
  {
    check: (draft, place) => place.key('name').claimName('cluster', draft.name),
    build: ({ name: clusterName, upstream: brokers, listeners, policy: rules }) => ({
      name: clusterName,
      upstream: brokers,
      listeners,
      policy: rules,
    }),
  },
)

const adminSection: Format<AdminConfig> = section(
  {
    bind: withDefault('Where /healthz, /readyz and /metrics are served.', bindAddress, '127.0.0.1:9644'),
    token: {
      ...optional('Bearer token for POST. Without one, POST is answered only where bind is loopback.', secret),
      sensitive: true,
    },
  },
  {
    check({ bind }, place) {
      if (bind) place.reading.sockets.claim(place.key('bind'), bind.host, bind.port)
    },
    build: ({ bind, token }) => ({ bind, ...(token === undefined ? {} : { token }) }),
  },
)

const admin: Format<AdminConfig | 'none'> = {
  ...adminSection,
  name: 'section, or none',
  read: (value, place) => (value === 'none' ? 'none' : adminSection.read(value, place)),
}

const log: Format<LogConfig> = section(
  {
    level: withDefault(
      'The least severe level that is logged.',
      choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal']),
      'info',
    ),
  },
  { build: read => read },
)

export const rootLeaves = {
  clusters: required('Kafka clusters and the listeners in front of them.', listOf(cluster), 'write a list of clusters'),
  admin: withDefault('Health, readiness and metrics over HTTP; none switches it off.', admin, {}),
  limits: withDefault('Bounds; every one has a default.', limits, {}),
  log: withDefault('The log, on standard output.', log, {}),
} as const

export const root = section(rootLeaves, { build: read => read })
