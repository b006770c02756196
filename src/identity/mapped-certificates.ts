/** Principal → the client certificate that the gateway shows to brokers for it, from a JSON file that names files. */
import { dirname, resolve } from 'node:path'
import { Secret } from '../telemetry/secret.ts'
import { parseByPrincipal } from './by-principal.ts'
import { isObject } from './users.ts'

/** Absolute paths. */
export type CertificateFiles =
  | { readonly kind: 'pem'; readonly certificate: string; readonly key: string; readonly keyPassword?: Secret }
  | { readonly kind: 'pkcs12'; readonly store: string; readonly password: Secret }

export type MappedCertificates = ReadonlyMap<string, CertificateFiles>

/** Throws a ConfigError with every problem; none of them shows a value. Paths are relative to the folder of `path`. */
export function parseMappedCertificates(text: string, path: string): MappedCertificates {
  const example = '{"User:alice": {"certificate": "alice.pem", "key": "alice.key"}}'
  return parseByPrincipal(text, { path, example, read: entry => filesOf(entry, dirname(path)) })
}

/** Or what is wrong. */
function filesOf(entry: unknown, folder: string): CertificateFiles | string {
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
