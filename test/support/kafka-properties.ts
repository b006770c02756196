// server.properties of one node of a test cluster: KRaft, every node is broker and controller.
import type { BrokerTls, KafkaListener } from './kafka.ts'

export interface Node {
  readonly id: number
  readonly folder: string
  readonly controllerPort: number
  /** Listening port by listener name. */
  readonly ports: Readonly<Record<string, number>>
}

export interface PropertiesOptions {
  readonly node: Node
  readonly nodes: readonly Node[]
  readonly host: string
  readonly listeners: readonly KafkaListener[]
  readonly keystore: string | undefined
  readonly tls: BrokerTls | undefined
  readonly extra: Readonly<Record<string, string>>
}

export function serverProperties(options: PropertiesOptions): string {
  const { node, nodes, listeners } = options
  const replicas = String(nodes.length)
  const minInSync = String(Math.min(2, nodes.length))
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(node.id),
    'controller.quorum.voters': nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': listeners[0]!.name,
    listeners: [
      ...listeners.map(({ name }) => `${name}://127.0.0.1:${node.ports[name]}`),
      `CONTROLLER://127.0.0.1:${node.controllerPort}`,
    ].join(','),
    'advertised.listeners': listeners.map(listener => advertised(listener, options)).join(','),
    'listener.security.protocol.map': [
      'CONTROLLER:PLAINTEXT',
      ...listeners.map(({ name, protocol }) => `${name}:${protocol}`),
    ].join(','),
    'log.dirs': `${node.folder}/data`,
    'default.replication.factor': replicas,
    'min.insync.replicas': minInSync,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': minInSync,
    'transaction.state.log.num.partitions': '3',
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': minInSync,
    'share.coordinator.state.topic.num.partitions': '3',
    'auto.create.topics.enable': 'false',
    // Tests wait for these; production would not.
    'group.initial.rebalance.delay.ms': '0',
    'group.consumer.min.heartbeat.interval.ms': '500',
    'group.consumer.heartbeat.interval.ms': '500',
    'group.share.min.heartbeat.interval.ms': '500',
    'group.share.heartbeat.interval.ms': '500',
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'controller.quorum.election.timeout.ms': '500',
    'controller.quorum.fetch.timeout.ms': '1000',
    'controller.quorum.election.backoff.max.ms': '500',
    'replica.lag.time.max.ms': '5000',
    // A small machine: fewer threads, no large buffers.
    'num.network.threads': '2',
    'num.io.threads': '4',
    'background.threads': '2',
    'log.cleaner.dedupe.buffer.size': '2097152',
    ...tlsProperties(options),
    ...options.extra,
  }
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

function advertised({ name, advertise }: KafkaListener, { node, host }: PropertiesOptions): string {
  const address = advertise?.(node.id) ?? { host, port: node.ports[name]! }
  return `${name}://${address.host}:${address.port}`
}

function tlsProperties({ tls, keystore }: PropertiesOptions): Record<string, string> {
  if (tls === undefined || keystore === undefined) return {}
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keystore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': tls.ca,
    'ssl.client.auth': tls.clientAuth ?? 'none',
    // The private host name of the brokers is the name in their certificate, or the test says otherwise.
    'ssl.endpoint.identification.algorithm': 'https',
  }
}
