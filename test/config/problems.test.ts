import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse, problemsOf, yamlWith } from './fixture.ts'

interface Case {
  readonly name: string
  readonly yaml: string
  readonly problems: readonly string[]
}

const listener = 'clusters[0].listeners[0]'
const upstream = 'clusters[0].upstream'
const listenerKeys =
  'name, bind, advertise, expose, brokerPorts, advertiseBrokerPorts, brokerHost, tls, principal, sasl, proxyProtocol'

const cases: readonly Case[] = [
  {
    name: 'an empty file says what belongs into it',
    yaml: '# nothing\n',
    problems: ['/etc/vkitm/vkitm.yaml: is empty: write clusters with an upstream, listeners and a policy'],
  },
  {
    name: 'a file that is a list is no configuration',
    yaml: '- a\n',
    problems: [': is a list: write a mapping with clusters, admin, certs, limits, log, audit'],
  },
  {
    name: 'a key that is a typing mistake away is suggested, another is answered with what is known',
    yaml: yamlWith({ root: 'limit: {}\nlimits: {iddleTimeout: 3s, colour: red}\nlog: {levle: info}' }),
    problems: [
      'limit: unknown key; did you mean limits?',
      'limits.iddleTimeout: unknown key; did you mean idleTimeout?',
      'limits.colour: unknown key; known here: connections, connectionsPerIp, acceptPerSecond, acceptPerSecondPerIp, frameBytes, preAuthFrameBytes, preAuthRequests, requestItems, inFlight, bufferedBytes, handshakeTimeout, firstFrameTimeout, frameTimeout, idleTimeout, writeStall, connectTimeout, drainTimeout, reauthTimeout',
      'log.levle: unknown key; did you mean level?',
    ],
  },
  {
    name: 'records that must be written down need a file of their own',
    yaml: yamlWith({ root: 'audit: {required: true}' }),
    problems: ['audit.required: needs a file of its own: write audit.file'],
  },
  {
    name: 'names of prototypes are unknown keys like any other',
    yaml: yamlWith({ root: 'log: {__proto__: {level: fatal}, constructor: 1, "a.b": 2}' }),
    problems: ['__proto__', 'constructor', 'a.b'].map(key => `log.${key}: unknown key; known here: level`),
  },
  {
    name: 'what is missing is told with what to write',
    yaml: 'clusters: [{}]',
    problems: [
      'clusters[0].name: is required: write a name for logs and metrics',
      'clusters[0].upstream: is required: write upstream with bootstrap: [host:port]',
      'clusters[0].listeners: is required: write a list of listeners',
      "clusters[0].policy: is required: write policy with model and rules, or policy: none to let only the brokers' own ACLs decide",
    ],
  },
  {
    name: 'an empty list and an empty section are told apart from absent ones',
    yaml: 'clusters: []\nadmin:\n',
    problems: [
      'clusters: is an empty list: write at least one entry',
      'admin: is empty: write a mapping with bind, token, or remove the line',
    ],
  },
  {
    name: 'addresses that are none are answered with the right spelling',
    yaml: yamlWith({ root: 'admin: {bind: "::1"}', listener: 'advertise: kafka.example.com' }).replace(
      '10.0.0.1:9092',
      '10.0.0.1, "10.0.0.300:9092", ":9092", "a:0", "a:70000", 9092, "0.0.0.0:1", "[::1]", "fe80::1%eth0:9092"',
    ),
    problems: [
      `${upstream}.bootstrap[0]: "10.0.0.1" is not an address: write 10.0.0.1:9092, with a port`,
      `${upstream}.bootstrap[1]: "10.0.0.300:9092" is not an address: write host:port, an IPv6 address in brackets, the port up to 65535`,
      `${upstream}.bootstrap[2]: ":9092" is not an address: write 0.0.0.0:9092 (IPv4) or "[::]:9092" (both)`,
      `${upstream}.bootstrap[3]: "a:0" has port 0, which nobody can connect to`,
      `${upstream}.bootstrap[4]: "a:70000" is not an address: write host:port, an IPv6 address in brackets, the port up to 65535`,
      `${upstream}.bootstrap[5]: "9092" is not an address: write host:port`,
      `${upstream}.bootstrap[6]: "0.0.0.0:1" is a wildcard, which nobody can connect to: write a host name or address`,
      `${upstream}.bootstrap[7]: "[::1]" is not an address: write host:port, an IPv6 address in brackets, the port up to 65535`,
      `${upstream}.bootstrap[8]: "fe80::1%eth0:9092" is not an address: write host:port, an IPv6 address in brackets, the port up to 65535`,
      `${listener}.advertise: "kafka.example.com" is not an address: write kafka.example.com:9092, with a port`,
      'admin.bind: "::1" is not an address: write "[::1]:9092", with brackets and quotes',
    ],
  },
  {
    name: 'a bootstrap address that stands twice is a mistake',
    yaml: yamlWith().replace('10.0.0.1:9092', 'b:9092, 10.0.0.1:9092, B:9092'),
    problems: [`${upstream}.bootstrap: names b:9092 twice`],
  },
  {
    name: 'advertise is required where bind is a wildcard',
    yaml: yamlWith().replace('127.0.0.1:9092', '0.0.0.0:9092'),
    problems: [
      `${listener}.advertise: is required: bind is a wildcard; write the host:port that clients connect to, such as kafka.example.com:9092`,
    ],
  },
  {
    name: 'expose and brokerPorts are required',
    yaml: yamlWith().replace('expose: ports', '').replace('brokerPorts: 9100-9199', ''),
    problems: [`${listener}.expose: is required: write expose: ports, so that every broker has its own port`],
  },
  {
    name: 'expose: ports needs brokerPorts',
    yaml: yamlWith().replace('brokerPorts: 9100-9199', ''),
    problems: [`${listener}.brokerPorts: is required: write brokerPorts: 9100-9199, one port for each broker id`],
  },
  {
    name: 'ranges of ports are checked for form, order, end and size',
    yaml: `
clusters:
  - name: main
    upstream: {bootstrap: [a:1]}
    policy: none
    listeners:
      - {name: a, bind: "127.0.0.1:1", expose: ports, brokerPorts: 9199-9100}
      - {name: b, bind: "127.0.0.1:2", expose: ports, brokerPorts: 9100}
      - {name: c, bind: "127.0.0.1:3", expose: ports, brokerPorts: {first: 65000, count: 1000}}
      - {name: d, bind: "127.0.0.1:4", expose: ports, brokerPorts: {first: 0, count: 1.5, from: 3}}
      - {name: e, bind: "127.0.0.1:5", expose: ports, brokerPorts: 100-20100}
`,
    problems: [
      'clusters[0].listeners[0].brokerPorts: "9199-9100" ends before it starts',
      'clusters[0].listeners[1].brokerPorts: "9100" is not a range of ports: write 9100-9199, or first, count and firstId',
      'clusters[0].listeners[2].brokerPorts: ends at port 65999, but ports end at 65535',
      'clusters[0].listeners[3].brokerPorts.from: unknown key; known here: first, count, firstId',
      'clusters[0].listeners[3].brokerPorts.first: "0" is not a whole number from 1 to 65535',
      'clusters[0].listeners[3].brokerPorts.count: "1.5" is not a whole number from 1 to 10000',
      'clusters[0].listeners[4].brokerPorts.count: "20001" is not a whole number from 1 to 10000',
    ],
  },
  {
    name: 'advertised broker ports must be as many as the bound ones',
    yaml: yamlWith({ listener: 'advertiseBrokerPorts: 19100-19150' }),
    problems: [
      `${listener}.advertiseBrokerPorts: must be as many as brokerPorts (100 from broker 0): write {first: 19100}`,
    ],
  },
  {
    name: 'what is yet to come is named as such and not taken for in force',
    yaml: yamlWith({
      listener: 'brokerHost: broker-{id}.kafka.example.com',
      cluster: 'interceptors: [{use: ./mask.js}]',
    }).replace('expose: ports', 'expose: single'),
    problems: [
      `${listener}.expose: single is not available yet: write expose: ports with brokerPorts`,
      `${listener}.brokerHost: expose: sni, which brokerHost belongs to, is not available yet: remove it`,
      'clusters[0].interceptors: interceptors are not available yet: remove them',
    ],
  },
  {
    name: 'names are names, and each is given once',
    yaml: `
clusters:
  - name: "ma in"
    upstream: {bootstrap: [a:1]}
    policy: none
    listeners:
      - {name: x, bind: "127.0.0.1:1", expose: ports, brokerPorts: 10-11}
  - name: main
    upstream: {bootstrap: [a:1]}
    policy: none
    listeners:
      - {name: x, bind: "127.0.0.1:2", expose: ports, brokerPorts: 20-21}
  - name: main
    upstream: {bootstrap: [a:1]}
    policy: none
    listeners:
      - {name: y, bind: "127.0.0.1:3", expose: ports, brokerPorts: 30-31}
`,
    problems: [
      'clusters[0].name: "ma in" is not a name: up to 63 letters, digits, dots, dashes and underscores, the first a letter or digit',
      'clusters[1].listeners[0].name: "x" is already clusters[0].listeners[0].name: choose another',
      'clusters[2].name: "main" is already clusters[1].name: choose another',
    ],
  },
  {
    name: 'ports that two parts want are named, wildcards and ranges included',
    yaml: `
clusters:
  - name: main
    upstream: {bootstrap: [a:1]}
    policy: none
    listeners:
      - {name: a, bind: "0.0.0.0:9092", advertise: "k:9092", expose: ports, brokerPorts: 9080-9100}
      - {name: b, bind: "127.0.0.1:9100", expose: ports, brokerPorts: 9200-9210}
      - {name: c, bind: "[::]:9205", advertise: "k:1", expose: ports, brokerPorts: 9300-9310}
      - {name: d, bind: "10.0.0.1:9200", expose: ports, brokerPorts: 9400-9410}
      - {name: e, bind: "127.0.0.1:0", expose: ports, brokerPorts: 9500-9510}
      - {name: f, bind: "127.0.0.1:0", expose: ports, brokerPorts: 9600-9610}
admin: {bind: "localhost:9505"}
`,
    problems: [
      'clusters[0].listeners[0].brokerPorts: port 9092 is taken by clusters[0].listeners[0].bind (0.0.0.0:9092): choose another',
      'clusters[0].listeners[1].bind: port 9100 is taken by clusters[0].listeners[0].brokerPorts (0.0.0.0:9080-9100): choose another',
      'clusters[0].listeners[2].bind: port 9205 is taken by clusters[0].listeners[1].brokerPorts (127.0.0.1:9200-9210): choose another',
      'admin.bind: port 9505 is taken by clusters[0].listeners[4].brokerPorts (127.0.0.1:9500-9510): choose another',
    ],
  },
  {
    name: 'patterns of hosts and networks say what may stand there',
    yaml: yamlWith({
      upstream: 'allow: ["*internal", 10.0.0.0/33, "10.0.0", "*"]',
      listener: 'proxyProtocol: {trusted: [everybody, 10.0.0.0/8]}',
    }),
    problems: [
      `${upstream}.allow[0]: "*internal" is not a host: write a name, "*.internal", an address or 10.0.0.0/8`,
      `${upstream}.allow[1]: "10.0.0.0/33" is not a host: write a name, "*.internal", an address or 10.0.0.0/8`,
      `${upstream}.allow[2]: "10.0.0" is not a host: write a name, "*.internal", an address or 10.0.0.0/8`,
      `${upstream}.allow[3]: "*" is not a host: write a name, "*.internal", an address or 10.0.0.0/8`,
      `${listener}.proxyProtocol.trusted[0]: "everybody" is not a network: write 10.0.0.0/8, 10.0.0.7 or "fd00::/8"`,
    ],
  },
  {
    name: 'limits are bounded: no wait without end, no unit to guess',
    yaml: yamlWith({
      root: 'limits: {idleTimeout: 0, drainTimeout: 30d, connectTimeout: 700h, frameBytes: 10MB, inFlight: 0, connections: 10, connectionsPerIp: 20, preAuthRequests: yes, handshakeTimeout: [1]}',
    }),
    problems: [
      'limits.connectionsPerIp: is never reached: connections is 10',
      'limits.preAuthRequests: "yes" is not a whole number from 1 to 1000000000',
      'limits.inFlight: "0" is not a whole number from 1 to 1000000000',
      'limits.frameBytes: "10MB" is not a size: write bytes or 64KiB, 100MiB, 1GiB',
      'limits.idleTimeout: "0" is out of bounds: every wait ends, at the earliest after 1ms and at the latest after 596h',
      'limits.drainTimeout: "30d" is not a duration: write milliseconds or 500ms, 10s, 5m, 1h',
      'limits.connectTimeout: "700h" is out of bounds: every wait ends, at the earliest after 1ms and at the latest after 596h',
      'limits.handshakeTimeout: a list is not a duration: write milliseconds or 500ms, 10s, 5m, 1h',
    ],
  },
  {
    name: 'strangers get no larger frames than clients',
    yaml: yamlWith({ root: 'limits: {frameBytes: 1MiB, preAuthFrameBytes: 2MiB}' }),
    problems: ['limits.preAuthFrameBytes: is more than frameBytes: strangers get less than clients'],
  },
  {
    name: 'words are those that are known',
    yaml: yamlWith({
      root: 'log: {level: inof}',
      upstream: 'tls: {minVersion: TLSv1.1, dangerouslySkipVerification: maybe}',
    }).replace('expose: ports', 'expose: port'),
    problems: [
      `${upstream}.tls.minVersion: "TLSv1.1" is not known: did you mean TLSv1.2?`,
      `${upstream}.tls.dangerouslySkipVerification: "maybe" is neither true nor false`,
      `${listener}.expose: "port" is not known: did you mean ports?`,
      'log.level: "inof" is not known: did you mean info?',
    ],
  },
  {
    name: 'a principal rule that cannot be read is refused with itself',
    yaml: yamlWith({ listener: 'principal: {rules: ["RULE:^CN=(.*)$", DEFAULTS]}' }),
    problems: [
      `${listener}.principal.rules[0]: "RULE:^CN=(.*)$": "RULE:^CN=(.*)$" is no rule: write DEFAULT or RULE:pattern/replacement/ with L or U behind for lower or upper case`,
      `${listener}.principal.rules[1]: "DEFAULTS": "S" after "DEFAULT" is no part of a rule: write DEFAULT or RULE:pattern/replacement/ with L or U behind for lower or upper case`,
    ],
  },
  {
    name: 'a listener that is a text is told what it should be',
    yaml: yamlWith({ cluster: '' }).replace(/ {4}listeners:[\s\S]*policy/, '    listeners: [clients]\n    policy'),
    problems: [`clusters[0].listeners[0]: is "clients": write a mapping with ${listenerKeys}`],
  },
]

for (const { name, yaml, problems } of cases) {
  test(name, async () => {
    const found = await problemsOf(yaml)
    assert.deepEqual([...found].sort(), [...problems].sort())
  })
}

test('warnings are given where something is weaker or without effect, and stop nothing', async () => {
  const config = await parse(yamlWith({ upstream: 'tls: {dangerouslySkipVerification: true}' }))
  assert.deepEqual(
    config.warnings.map(({ path, message }) => `${path}: ${message}`),
    [
      `${upstream}.tls.dangerouslySkipVerification: brokers' certificates are not verified`,
      "clusters[0].policy: is none: only the brokers' own ACLs apply",
    ],
  )
})
