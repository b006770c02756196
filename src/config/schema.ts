/** The contract of DESIGN section 4 as convict schemas, section by section, from the inside out. */

import { resolve } from 'node:path'
import { printed } from './addresses.ts'
import type { AdminConfig, AuditConfig, AutoRenewConfig, ClusterConfig, LogConfig, UpstreamConfig } from './config.ts'
import { choice, count, flag, listOf, name, notYet, secret, text } from './formats.ts'
import { limits } from './limits-section.ts'
import { listener } from './listener-section.ts'
import { bindAddress, hostPattern, remoteAddress } from './network-formats.ts'
import type { Place } from './place.ts'
import { policy } from './policy-section.ts'
import { checkPassthrough, checkUpstreamSasl, upstreamSasl } from './sasl-sections.ts'
import { type Format, optional, required, section, withDefault } from './section.ts'
import { upstreamTls } from './tls-sections.ts'

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
    sasl: optional('SASL towards the brokers. Absent: none.', upstreamSasl),
  },
  {
    check: ({ bootstrap = [], tls, sasl }, place) => {
      const addresses = bootstrap.map(({ host, port }) => printed(host, port))
      const doubled = addresses.find((address, index) => addresses.indexOf(address) < index)
      if (doubled !== undefined) place.key('bootstrap').problem(`names ${doubled} twice`)
      checkUpstreamSasl(sasl, tls, place)
      if (sasl?.mode === 'passthrough' && tls?.certificates !== undefined)
        place
          .key('tls')
          .key('certificates')
          .problem('is not used: with sasl.mode passthrough brokers say who a client is')
    },
    build: ({ bootstrap, allow, tls, sasl }) => ({
      bootstrap,
      ...(allow === undefined ? {} : { allow }),
      ...(tls === undefined ? {} : { tls }),
      ...(sasl === undefined ? {} : { sasl }),
    }),
  },
)

const cluster: Format<ClusterConfig> = section(
  {
    name: required('Name in logs and metrics.', name, 'write a name for logs and metrics'),
    upstream: required('The brokers.', upstream, 'write upstream with bootstrap: [host:port]'),
    listeners: required('Where clients connect.', listOf(listener), 'write a list of listeners'),
    policy: required(
      "Who may do what; none leaves it to the brokers' own ACLs.",
      policy,
      "write policy with model and rules, or policy: none to let only the brokers' own ACLs decide",
    ),
    interceptors: optional('Changes to messages on the way.', notYet('interceptors are', 'remove them')),
  },
  {
    check(draft, place) {
      place.key('name').claimName('cluster', draft.name)
      if (draft.upstream?.sasl?.mode === 'passthrough') checkPassthrough(draft.listeners, place)
      if (draft.policy !== 'none' && draft.upstream !== undefined) checkOtherWays(draft.upstream, place.key('upstream'))
    },
    build: ({ name: clusterName, upstream: brokers, listeners, policy: rules }) => ({
      name: clusterName,
      upstream: brokers,
      listeners,
      policy: rules,
    }),
  },
)

/** A policy judges who comes through here. */
function checkOtherWays({ tls, sasl }: UpstreamConfig, place: Place): void {
  if (sasl !== undefined || tls?.identity !== undefined) return
  place.warning(
    'shows brokers no certificate and no login: whoever else reaches them gets around the policy. Let only the gateway reach them, or use sasl or tls.certificate',
  )
}

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

const autoRenew: Format<AutoRenewConfig> = section(
  {
    dir: required('The folder of the CA, as `vkitm certs init` made it.', text, 'write the folder of the CA'),
    beforeDays: withDefault('How long before its end a certificate is renewed.', count({ max: 365 }), 30),
  },
  {
    check({ dir }, place) {
      const { files, folder } = place.reading
      if (dir === undefined) return
      files.request({ path: resolve(folder, dir, 'issuing.key'), content: Buffer.alloc(0) }, place.key('dir'))
    },
    build: ({ dir, beforeDays }, { reading }) => ({ dir: resolve(reading.folder, dir), beforeDays }),
  },
)

const certs: Format<{ readonly autoRenew?: AutoRenewConfig | undefined }> = section(
  {
    autoRenew: optional(
      'Renews certificates that this gateway serves with and the CA in `dir` issued, and the lists of that CA.',
      autoRenew,
    ),
  },
  { build: read => read },
)

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

const audit: Format<AuditConfig> = section(
  {
    file: optional('Where denials are written down, one JSON object per line. Default: standard output.', text),
    allows: withDefault('Whether what was allowed is written down, too.', flag, false),
    required: withDefault(
      'Whether requests are refused while it cannot be written down. Needs audit.file. Otherwise records are dropped and counted.',
      flag,
      false,
    ),
  },
  {
    build({ file, allows, required }, place) {
      if (file !== undefined) return { file: resolve(place.reading.folder, file), allows, required }
      if (required) place.key('required').problem('needs a file of its own: write audit.file')
      return { allows, required }
    },
  },
)

export const rootLeaves = {
  clusters: required('Kafka clusters and the listeners in front of them.', listOf(cluster), 'write a list of clusters'),
  admin: withDefault('Health, readiness and metrics over HTTP; none switches it off.', admin, {}),
  certs: withDefault('Certificates of a CA of our own.', certs, {}),
  limits: withDefault('Bounds; every one has a default.', limits, {}),
  log: withDefault('The log, on standard output.', log, {}),
  audit: withDefault('What policies decided, for the record.', audit, {}),
} as const

export const root = section(rootLeaves, { build: read => read })
