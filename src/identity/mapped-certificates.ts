/** Principal → the client certificate that the gateway shows to brokers for it, from a JSON file that names files. */
import { dirname, resolve } from 'node:path'
import { ConfigError, type Problem } from '../errors.ts'
import { Secret } from '../telemetry/secret.ts'
import { isObject } from './users.ts'

/** Absolute paths. */
export type CertificateFiles =
  | { readonly kind: 'pem'; readonly certificate: string; readonly key: string; readonly keyPassword?: Secret }
  | { readonly kind: 'pkcs12'; readonly store: string; readonly password: Secret }

export type MappedCertificates = ReadonlyMap<string, CertificateFiles>

/** Throws a ConfigError with every problem; none of them shows a value. Paths are relative to the folder of `path`. */
export function parseMappedCertificates(text: string, path: string): MappedCertificates {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // JSON.parse quotes what it read, and this file may hold passwords.
  }
  if (!isObject(value))
    throw new ConfigError([
      { path, message: 'is no JSON object: write {"User:alice": {"certificate": "alice.pem", "key": "alice.key"}}' },
    ])
  const problems: Problem[] = []
  const byPrincipal = new Map<string, CertificateFiles>()
  for (const [principal, entry] of Object.entries(value)) {
    const files = filesOf(principal, entry, dirname(path))
    if (typeof files === 'string') problems.push({ path: `${path}: ${JSON.stringify(principal)}`, message: files })
    else byPrincipal.set(principal, files)
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return byPrincipal
}

/** Or what is wrong. */
function filesOf(principal: string, entry: unknown, folder: string): CertificateFiles | string {
  if (!/^User:./.test(principal)) return 'is no principal: write User: and the name'
  if (!isObject(entry) || !Object.values(entry).every(isText))
    return 'is no object of texts: write certificate and key, or pkcs12 and password'
  const { certificate, key, keyPassword, pkcs12, password, ...rest } = entry as Readonly<Record<string, string>>
  const [extra] = Object.keys(rest)
  if (extra !== undefined) return `has an unknown key ${JSON.stringify(extra)}`
  const isPem = certificate !== undefined && key !== undefined
  if (isPem && pkcs12 === undefined && password === undefined) {
    const files = { kind: 'pem', certificate: resolve(folder, certificate), key: resolve(folder, key) } as const
    return keyPassword === undefined ? files : { ...files, keyPassword: new Secret(keyPassword) }
  }
  const isStore = pkcs12 !== undefined && password !== undefined
  if (isStore && certificate === undefined && key === undefined && keyPassword === undefined)
    return { kind: 'pkcs12', store: resolve(folder, pkcs12), password: new Secret(password) }
  return 'needs certificate and key (and keyPassword, where the key is encrypted), or pkcs12 and password'
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
