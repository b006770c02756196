/** What Kafka says of topics' names alone (org.apache.kafka.common.internals.Topic). */

const internal = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])
const lengthMax = 249
const legal = /^[a-zA-Z0-9._-]+$/

export function isInternalTopic(name: string): boolean {
  return internal.has(name)
}

export function isTopicName(name: string): boolean {
  return name.length <= lengthMax && legal.test(name) && name !== '.' && name !== '..'
}
