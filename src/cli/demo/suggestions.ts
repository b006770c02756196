/** What to try next, ready to be copied. */
import { topic } from './orders.ts'
import type { Screen } from './screen.ts'

export interface Suggestions {
  /** `host:port` of the gateway. */
  readonly bootstrap: string
  readonly authority: string
  readonly clientProperties: string
  readonly logFile: string
  readonly admin: string | undefined
}

export function suggest(screen: Screen, { bootstrap, authority, clientProperties, logFile, admin }: Suggestions): void {
  const kcat = `kcat -b ${bootstrap} -X security.protocol=ssl -X ssl.ca.location=${authority}`
  screen.command(
    'kcat: list, produce, consume',
    `${kcat} -L\necho 'me:hello' | ${kcat} -P -t ${topic} -K:\n${kcat} -C -t ${topic} -e`,
  )
  screen.command(
    "Kafka's own tools",
    `kafka-console-consumer.sh --bootstrap-server ${bootstrap} --topic ${topic} --from-beginning --consumer.config ${clientProperties}`,
  )
  screen.command(
    'kafkajs',
    `new Kafka({ brokers: ['${bootstrap}'], ssl: { ca: [readFileSync('${authority}', 'utf8')] } })`,
  )
  screen.command(
    'what the gateway says of itself',
    [`tail -f ${logFile}`, ...(admin === undefined ? [] : [`curl http://${admin}/metrics`])].join('\n'),
  )
}
