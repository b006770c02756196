/** The records of the demo: a few orders, spread over the partitions by their customer. */
import type { BatchRecord } from '../../records/read-records.ts'
import type { NewRecord } from '../../records/write-batch.ts'

export const topic = 'demo.orders'
export const partitions = 3

const customers = ['ida', 'max', 'zoe']
const goods = ['tea', 'salt', 'ink', 'paper', 'rope', 'oil', 'wax', 'silk', 'glass']

/** By partition. */
export function makeOrders(now: number): ReadonlyMap<number, readonly NewRecord[]> {
  const orders = new Map<number, NewRecord[]>(customers.map((_, partition) => [partition, []]))
  for (const [index, item] of goods.entries()) {
    const customer = customers[index % partitions]!
    const value = JSON.stringify({ order: index + 1, customer, item })
    const headers = [{ key: 'source', value: Buffer.from('vkitm demo') }]
    orders
      .get(index % partitions)!
      .push({ key: Buffer.from(customer), value: Buffer.from(value), timestamp: BigInt(now + index), headers })
  }
  return orders
}

/** What a record says, for people and for comparing: key, value, time and headers. */
export function describeRecord({ key, value, timestamp, headers = [] }: NewRecord | BatchRecord): string {
  const shown = headers.map(header => `${header.key}=${header.value}`).join(',')
  return `${key} ${value} ${timestamp} ${shown}`
}
