import { ApiKey } from './generated/api-key.ts'

export { ApiKey } from './generated/api-key.ts'

const names = new Map<number, string>(Object.entries(ApiKey).map(([name, key]) => [key, name]))
const keys = new Map<string, ApiKey>(Object.entries(ApiKey))

/** For people: keys without a name are shown by their number. */
export function apiName(key: number): string {
  return names.get(key) ?? `api-${key}`
}

export function apiKeyOf(name: string): ApiKey | undefined {
  return keys.get(name)
}

export function isApiKey(key: number): key is ApiKey {
  return names.has(key)
}
