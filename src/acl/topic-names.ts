/** What Kafka says of topics' names alone (org.apache.kafka.common.internals.Topic). */

const internal = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])
const lengthMax = 249
const legal = /^[a-zA-Z0-9._-]+$/

export function isInternalTopic(name: string): boolean {
  return internal.has(name)
}

/** Topics in which brokers keep what is theirs: offsets, transactions, and the cluster's own log. */
export const topicsOfBrokers: readonly string[] = [...internal, '__cluster_metadata']
const ofBrokers = new Set(topicsOfBrokers)

export function isTopicOfBrokers(name: string): boolean {
  return ofBrokers.has(name)
}

export function isTopicName(name: string): boolean {
  return nameProblem(name) === undefined
}

/** Topic.validate's words; undefined for a name that a topic may have. */
export function nameProblem(name: string): string | undefined {
  const problem = 'Topic name is invalid: '
  if (name === '') return `${problem}the empty string is not allowed`
  if (name === '.' || name === '..') return `${problem}'${name}' is not allowed`
  if (name.length > lengthMax) {
    return `${problem}the length of '${name}' is longer than the max allowed length ${lengthMax}`
  }
  if (legal.test(name)) return undefined
  return `${problem}'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
}
