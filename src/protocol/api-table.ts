import type { ApiDescription } from './api-description.ts'
import { apis } from './generated/api-table.ts'

export type { ApiDescription } from './api-description.ts'

const byKey: (ApiDescription | undefined)[] = []
for (const api of apis) byKey[api.key] = api

/** Undefined for keys that Kafka does not have, or has no version of any more (4 to 7). */
export function describeApi(key: number): ApiDescription | undefined {
  return byKey[key]
}

/** Every API, by ascending key. */
export const allApis: readonly ApiDescription[] = apis
