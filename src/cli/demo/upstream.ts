/** The brokers behind the demo's gateway: embedded ones, or a real one. */

export interface DemoUpstream {
  /** What it is, in a few words. */
  readonly about: string
  /** `host:port`, plaintext. */
  readonly bootstrap: readonly string[]
  /** What reached the brokers around `text`, byte for byte; undefined where nothing they have holds it. */
  excerptWith(text: string): Promise<Buffer | undefined>
  stop(): Promise<void>
}

const contextBytes = 24

export function excerpt(bytes: Buffer, text: string): Buffer | undefined {
  const at = bytes.indexOf(text)
  if (at < 0) return undefined
  return bytes.subarray(Math.max(0, at - contextBytes), at + Buffer.byteLength(text) + contextBytes)
}
