/** What the commands about certificates have in common: their options, and how passwords come in. */
import { text } from 'node:stream/consumers'
import { readBounded } from '../../config/bounded-read.ts'
import { UsageError } from '../../errors.ts'
import type { KeyType } from '../../tls/certificate-authority.ts'

export const folderOption = { dir: { type: 'string', short: 'd' } } as const
export const keyOption = { rsa: { type: 'boolean' } } as const
export const daysOption = { days: { type: 'string' } } as const
export const passwordOption = { 'password-file': { type: 'string' } } as const

export function folderOf(dir: string | undefined, command: string): string {
  if (dir === undefined) throw new UsageError(`certs ${command} needs --dir D, the folder of the CA`)
  return dir
}

/** RSA-3072 is what is recommended beyond 2030; a handshake with it costs several times that of P-256. */
export const keyTypeOf = (rsa: boolean | undefined): KeyType => (rsa ? 'RSA-3072' : 'P-256')

export function daysOf(days: string | undefined): { days?: number } {
  if (days === undefined) return {}
  const count = Number(days)
  if (!/^\d+$/.test(days) || count < 1 || count > 3_650) throw new UsageError('--days is a number from 1 to 3650')
  return { days: count }
}

/** Never an argument: every user of the machine can read those. The first line of a file, or of standard input for `-`. */
export async function passwordFrom(file: string): Promise<string> {
  const content = file === '-' ? await text(process.stdin) : (await readBounded(file, 64 * 1024)).toString('utf8')
  const [password = ''] = content.split(/\r?\n/)
  if (password === '') throw new UsageError(`there is no password in ${file === '-' ? 'standard input' : file}`)
  return password
}
