// The same attempts to get in, made by clients of four libraries, and what each of them tells its application.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { finish } from './child-process.ts'
import { type BuiltClient, buildGo, buildJava, buildJavaScript, buildPython } from './client-builds.ts'

export type RefusedClient = 'java' | 'confluent' | 'franz' | 'kafkajs'

export interface Attempt {
  readonly name: string
  readonly clientId: string
  readonly bootstrap: string
  readonly ca: string
  /** PEM files. */
  readonly certificate?: string
  readonly key?: string
  /** By SCRAM-SHA-512. */
  readonly sasl?: { readonly mechanism: string; readonly username: string; readonly password: string }
  /** By OAUTHBEARER. */
  readonly token?: string
}

export interface Told {
  /** By the attempt's name; empty where it got in. */
  readonly errors: ReadonlyMap<string, readonly string[]>
  /** What the library wrote to standard error meanwhile. */
  readonly logged: string
}

export async function attemptBy(client: RefusedClient, attempts: readonly Attempt[], timeoutMs: number): Promise<Told> {
  const { command, args, env = {} } = await programs[client]()
  const input = JSON.stringify({ timeoutMs, cases: attempts.map(each => jobs[client](each, timeoutMs)) })
  const errors = new Map<string, readonly string[]>()
  const { code, stderr } = await finish(command, args, {
    env: { ...process.env, ...env },
    input,
    timeoutMs: 5 * timeoutMs + 30_000,
    onLine: text => {
      const line = JSON.parse(text)
      errors.set(line.case, line.errors)
    },
  })
  if (code === 0 && errors.size === attempts.length) return { errors, logged: stderr }
  throw new Error(`${client} ended with exit code ${code} and ${errors.size} answers\n${stderr.slice(-4_000)}`)
}

const programs: Readonly<Record<RefusedClient, () => Promise<BuiltClient>>> = {
  async java() {
    const { command, args, env = {} } = await buildJava()
    return { command, args: [...args.slice(0, -1), 'Refused'], env }
  },
  confluent: () => buildPython('refused.py'),
  async franz() {
    return { command: join(dirname((await buildGo('franz')).command), 'refused'), args: [] }
  },
  kafkajs: () => buildJavaScript('refused.mjs'),
}

const jobs: Readonly<Record<RefusedClient, (attempt: Attempt, timeoutMs: number) => object>> = {
  java: (attempt, timeoutMs) => ({ name: attempt.name, properties: javaProperties(attempt, timeoutMs) }),
  confluent: ({ name, token, ...attempt }) => ({ name, token, properties: librdkafkaProperties(attempt, token) }),
  franz: attempt => attempt,
  kafkajs: attempt => attempt,
}

function javaProperties(
  { clientId, bootstrap, ca, certificate, key, sasl, token }: Attempt,
  timeoutMs: number,
): object {
  const module = (name: string, options: object): string =>
    `org.apache.kafka.common.security.${name} required ${Object.entries(options)
      .map(([option, value]) => `${option}="${value}"`)
      .join(' ')};`
  return {
    'client.id': clientId,
    'bootstrap.servers': bootstrap,
    'security.protocol': sasl === undefined && token === undefined ? 'SSL' : 'SASL_SSL',
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': ca,
    'request.timeout.ms': timeoutMs / 2,
    'default.api.timeout.ms': timeoutMs,
    ...(certificate !== undefined && {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': inOne(certificate, key!),
    }),
    ...(sasl !== undefined && {
      'sasl.mechanism': sasl.mechanism,
      'sasl.jaas.config': module('scram.ScramLoginModule', { username: sasl.username, password: sasl.password }),
    }),
    ...(token !== undefined && {
      'sasl.mechanism': 'OAUTHBEARER',
      'sasl.jaas.config': module('oauthbearer.OAuthBearerLoginModule', { token }),
      'sasl.login.callback.handler.class': 'Refused$FixedToken',
    }),
  }
}

/** Java wants key and chain in one file. */
function inOne(certificate: string, key: string): string {
  const file = `${certificate}.java`
  writeFileSync(file, readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8'), { mode: 0o600 })
  return file
}

function librdkafkaProperties(
  { clientId, bootstrap, ca, certificate, key, sasl }: Omit<Attempt, 'name' | 'token'>,
  token: string | undefined,
): object {
  return {
    'client.id': clientId,
    'bootstrap.servers': bootstrap,
    'security.protocol': sasl === undefined && token === undefined ? 'ssl' : 'sasl_ssl',
    'ssl.ca.location': ca,
    ...(certificate !== undefined && { 'ssl.certificate.location': certificate, 'ssl.key.location': key }),
    ...(sasl !== undefined && {
      'sasl.mechanism': sasl.mechanism,
      'sasl.username': sasl.username,
      'sasl.password': sasl.password,
    }),
    ...(token !== undefined && { 'sasl.mechanism': 'OAUTHBEARER' }),
  }
}
