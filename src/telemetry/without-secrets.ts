const REDACTED = '[redacted]'
const DEPTH_MAX = 6
const SECRET_KEY = /pass(word|phrase)|secret|token|credential|authorization|privatekey|^key$/i

/**
 * The second fence: details never hold secrets, and should one come in under a telling name, it stays out of the
 * log. Bytes are payloads or keys and are told by their number.
 */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value
  if (depth >= DEPTH_MAX) return '[deep]'
  if (Array.isArray(value)) return value.map(item => withoutSecrets(item, depth + 1))
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    SECRET_KEY.test(key) ? REDACTED : withoutSecrets(item, depth + 1),
  ])
  return Object.fromEntries(entries)
}
