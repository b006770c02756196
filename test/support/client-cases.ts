// Every client and every way to use it that the gateway promises to carry.
import type { ClientName, Job } from './clients.ts'
import type { Expectations } from './oracle.ts'

export interface ClientCase {
  /** Reads as "… produces and reads back". */
  readonly title: string
  readonly client: ClientName
  readonly idempotent: boolean
  readonly java?: Pick<Job, 'producer' | 'consumer'>
  readonly expected?: CaseExpectations
}

export interface CaseExpectations extends Omit<Expectations, 'timestampsBetween'> {
  /** The client cannot set timestamps: they lie within its run. */
  readonly ownTimestamps?: boolean
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const kcat: CaseExpectations = {
  headers: [
    ['n', base64('kcat')],
    ['trace', base64('same')],
  ],
  ownTimestamps: true,
  positionsOnly: true,
}

export const clientCases: readonly ClientCase[] = [
  {
    title: 'Java without idempotence, classic group',
    client: 'java',
    idempotent: false,
    java: { producer: 'plain', consumer: 'classic' },
    expected: { doublesAfterRetry: true },
  },
  {
    title: 'Java with idempotence, KIP-848 group',
    client: 'java',
    idempotent: true,
    java: { producer: 'idempotent', consumer: 'consumer' },
  },
  {
    title: 'Java with transactions, classic group',
    client: 'java',
    idempotent: true,
    java: { producer: 'transactional', consumer: 'classic' },
  },
  {
    title: 'Java with idempotence, share group',
    client: 'java',
    idempotent: true,
    java: { producer: 'idempotent', consumer: 'share' },
    expected: { anyOrder: true },
  },
  { title: 'confluent-kafka', client: 'confluent', idempotent: true },
  { title: 'kcat', client: 'kcat', idempotent: true, expected: kcat },
  { title: 'franz-go', client: 'franz', idempotent: true },
  { title: 'sarama', client: 'sarama', idempotent: true },
  { title: 'kafkajs', client: 'kafkajs', idempotent: true },
  { title: 'kafkajs without idempotence', client: 'kafkajs', idempotent: false, expected: { doublesAfterRetry: true } },
  { title: '@platformatic/kafka', client: 'platformatic', idempotent: true },
  { title: 'kafka-python', client: 'pure-python', idempotent: true },
]
