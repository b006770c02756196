import type { Judge } from './judge.ts'
import { topic } from './rights.ts'

/** Every topic is decided once, also behind the first that is denied, as Kafka decides and logs them. */
export function mayDescribeAll(names: Iterable<string>, judge: Judge): boolean {
  return [...new Set(names)].filter(name => !judge.allows(topic.describe, name)).length === 0
}
