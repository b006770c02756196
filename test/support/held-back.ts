/** A socket whose owner has paused it: its peer is stopped, and nothing is lost by it. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** `near` is paused; `chunks` are what its owner is handed. All that `far` sends comes after `resume`, in order. */
export async function assertHeldBack(
  { near, far }: { readonly near: Socket; readonly far: Socket },
  chunks: readonly Buffer[],
  resume: () => void,
): Promise<void> {
  const sent = Buffer.alloc(32 * 1024 * 1024)
  for (let at = 0; at < sent.length; at += 4) sent.writeUInt32LE(at, at)
  far.end(sent)
  await delay(100)
  const early = Buffer.concat(chunks).length
  assert.ok(early <= 64 * 1024, `${early} bytes although it had paused`)
  assert.ok(near.bytesRead <= 64 * 1024, `${near.bytesRead} bytes were read although it had paused`)
  resume()
  await once(near, 'end')
  assert.ok(Buffer.concat(chunks).equals(sent))
}
