/** What Kafka says of topics' names alone (org.apache.kafka.common.internals.Topic). */

const internal = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])
const lengthMax = 249
const legal = /^[a-zA-Z0-9._-]+$/

export function isInternalTopic(name: string): boolean {
  return internal.has(name)
}

/** Topics in which brokers keep what is theirs: offsets, transactions, and the cluster's own log. */
export function isTopicOfBrokers(name: string): boolean {
  return internal.has(name) || name === '__cluster_metadata'
}

export function isTopicName(name: string): boolean {
  return name.length <= lengthMax && legal.test(name) && name !== '.' && name !== '..'
}
