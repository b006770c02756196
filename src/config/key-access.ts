import { TlsError } from '../errors.ts'
import type { FileContent, KeyPermissions } from './config.ts'

const GROUP_AND_OTHERS = 0o077
const GROUP_WRITES_AND_OTHERS = 0o037
const ROOT = 0

/**
 * A private key is its owner's alone. A key of root may be read by a group: that is how Kubernetes hands a secret to a
 * user with `fsGroup`, and what PostgreSQL takes, too.
 */
export function checkKeyAccess({ path, access }: FileContent, permissions: KeyPermissions = 'strict'): void {
  const self = process.getuid?.()
  if (permissions === 'relaxed' || access === undefined || self === undefined) return
  const { mode, uid } = access
  if (uid !== ROOT && uid !== self && self !== ROOT) {
    throw new TlsError(
      `${path}: the private key belongs to another user (uid ${uid}), who can read and replace it: chown it to the user that runs vkitm, or write keyPermissions: relaxed`,
    )
  }
  if ((mode & (uid === ROOT ? GROUP_WRITES_AND_OTHERS : GROUP_AND_OTHERS)) === 0) return
  throw new TlsError(
    `${path}: other users can read the private key (mode ${(mode & 0o777).toString(8)}): chmod 600 ${path}, or write keyPermissions: relaxed`,
  )
}
