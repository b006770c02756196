/** What to try next, ready to be copied. */
import { topic } from './orders.ts'
import { deny } from './policy.ts'
import type { Screen } from './screen.ts'

export interface Suggestions {
  /** `host:port` of the gateway. */
  readonly bootstrap: string
  /** What vkitm is started with. */
  readonly program: string
  /** The path of a file in the demo's folder. */
  readonly path: (...names: string[]) => string
  readonly admin: string | undefined
}

export function suggest(screen: Screen, { bootstrap, program, path, admin }: Suggestions): void {
  const [alice, bob] = ['alice', 'bob'].map(user => `kcat -F ${path(`${user}.conf`)}`)
  const write = (kcat: string | undefined): string => `echo 'me:hello' | ${kcat} -P -t ${topic} -K:`
  const rules = path('policy.csv')
  screen.command('kcat, as alice: list, produce, consume', `${alice} -L\n${write(alice)}\n${alice} -C -t ${topic} -e`)
  screen.command('kcat, as bob: he reads, and is refused when he writes', `${bob} -C -t ${topic} -e\n${write(bob)}`)
  screen.command(
    'which rule it is; take it out, and try bob again',
    `${program} policy explain --model ${path('model.conf')} --rules ${rules} User:bob Produce write topic ${topic}\n` +
      `sed -i.old '/^${deny.writing.replaceAll('*', '\\*')}/d' ${rules}\n${write(bob)}`,
  )
  screen.command(
    "Kafka's own tools",
    `kafka-console-consumer.sh --bootstrap-server ${bootstrap} --topic ${topic} --group demo-me --from-beginning --consumer.config ${path('alice.properties')}`,
  )
  const read = (name: string): string => `readFileSync('${path('certs', name)}', 'utf8')`
  screen.command(
    'kafkajs',
    `new Kafka({ brokers: ['${bootstrap}'], ssl: { ca: [${read('ca.pem')}], cert: ${read('alice.pem')}, key: ${read('alice.key')} } })`,
  )
  screen.command(
    'what the gateway says of itself, and what it decided',
    [
      `tail -f ${path('gateway.log')} ${path('audit.log')}`,
      ...(admin === undefined ? [] : [`curl http://${admin}/metrics`]),
    ].join('\n'),
  )
}
