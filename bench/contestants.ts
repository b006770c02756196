// The proxies that are measured: how each is found, configured to do the same job, and started.
// The job: TLS with one certificate and one choice of ciphers in front, plaintext to one broker behind, one worker.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Certificate } from './certificate.ts'
import { policyInForce } from './random-rules.ts'

export type ContestantName = 'HAProxy' | 'nginx' | 'node-pipe' | 'node-floor' | 'vkitm'

export interface Assignment {
  /** Where configuration and logs may be written. */
  readonly folder: string
  readonly certificate: Certificate
  /** Where the contestant listens; vkitm's broker port is the next one. */
  readonly port: number
  readonly brokerId: number
  readonly brokerPort: number
  /** `limits` of vkitm; none: its defaults. */
  readonly limits?: Readonly<Record<string, number>>
  /** Rules of the policy that vkitm runs with; none: `policy: none`. The others have no policies. */
  readonly rules?: number
}

export interface Contestant {
  readonly name: ContestantName
  readonly version: string
  /** Takes part only where it is named. */
  readonly isExtra?: true
  /** Writes the configuration and gives the command line that runs in the foreground. */
  command(assignment: Assignment): readonly [program: string, ...args: string[]]
}

export type Search = Contestant | { readonly name: ContestantName; readonly missing: string }

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const connectionsMax = 8_000

/** Of the server's choosing, so that no contestant pays for a longer key than another. */
const ciphers = {
  tls12: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384',
  tls13: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384',
} as const
export const expectedCipher = 'TLS_AES_128_GCM_SHA256'

export function findContestants(nodeFlags: readonly string[] = []): readonly Search[] {
  return [findHaproxy(), findNginx(), nodePipe(nodeFlags), nodeFloor(nodeFlags), findVkitm(nodeFlags)]
}

function findHaproxy(): Search {
  const name = 'HAProxy'
  const version = printed('haproxy', ['-v'], /version (\S+)/)
  if (version === undefined) return { name, missing: 'haproxy is not installed (Debian: haproxy)' }
  return { name, version, command: assignment => ['haproxy', '-db', '-f', writeHaproxy(assignment)] }
}

function writeHaproxy({ folder, certificate, port, brokerPort }: Assignment): string {
  return written(
    join(folder, 'haproxy.cfg'),
    `global
  maxconn ${connectionsMax}
  nbthread 1
  ssl-default-bind-options ssl-min-ver TLSv1.2
  ssl-default-bind-ciphers ${ciphers.tls12}
  ssl-default-bind-ciphersuites ${ciphers.tls13}
defaults
  mode tcp
  timeout connect 5s
  timeout client 10m
  timeout server 10m
listen kafka
  bind 127.0.0.1:${port} ssl crt ${certificate.combined}
  server broker 127.0.0.1:${brokerPort}
`,
  )
}

function findNginx(): Search {
  const name = 'nginx'
  const version = printed('nginx', ['-v'], /nginx\/(\S+)/)
  if (version === undefined) return { name, missing: 'nginx is not installed (Debian: nginx)' }
  const stream = streamModule()
  if (stream === undefined) return { name, missing: 'nginx has no stream module (Debian: libnginx-mod-stream)' }
  return { name, version, command: assignment => ['nginx', '-c', writeNginx(assignment, stream)] }
}

/** The directive that loads TCP mode, empty where it is compiled in. */
function streamModule(): string | undefined {
  const built = printed('nginx', ['-V'], /(.*)/s) ?? ''
  if (/--with-stream(\s|$)/.test(built)) return ''
  const module = join(/--modules-path=(\S+)/.exec(built)?.[1] ?? '', 'ngx_stream_module.so')
  return existsSync(module) ? `load_module ${module};` : undefined
}

function writeNginx({ folder, certificate, port, brokerPort }: Assignment, stream: string): string {
  return written(
    join(folder, 'nginx.conf'),
    `${stream}
daemon off;
worker_processes 1;
worker_rlimit_nofile ${2 * connectionsMax + 100};
pid ${folder}/nginx.pid;
error_log ${folder}/nginx-error.log warn;
events { worker_connections ${2 * connectionsMax}; }
stream {
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${certificate.certificate};
    ssl_certificate_key ${certificate.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_prefer_server_ciphers on;
    ssl_ciphers ${ciphers.tls12};
    ssl_conf_command Ciphersuites ${ciphers.tls13};
    proxy_pass 127.0.0.1:${brokerPort};
    proxy_timeout 10m;
  }
}
`,
  )
}

/** What Node costs before a gateway does anything. */
const nodePipe = (flags: readonly string[]): Contestant => bareNode('node-pipe', flags)

/** What it costs where even Node's streams are left out. */
const nodeFloor = (flags: readonly string[]): Contestant => ({ ...bareNode('node-floor', flags), isExtra: true })

function bareNode(name: ContestantName, flags: readonly string[]): Contestant {
  const program = fileURLToPath(new URL(`${name}.js`, import.meta.url))
  return {
    name,
    version: process.version,
    command: ({ port, brokerPort, certificate }) => {
      const { tls12, tls13 } = ciphers
      const args = [String(port), String(brokerPort), certificate.certificate, certificate.key, `${tls13}:${tls12}`]
      return [process.execPath, ...flags, program, ...args]
    },
  }
}

function findVkitm(flags: readonly string[]): Search {
  const name = 'vkitm'
  const program = join(root, 'dist', 'cli', 'main.js')
  if (!existsSync(program)) return { name, missing: 'dist/cli/main.js is not built' }
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return {
    name,
    version,
    command: assignment => [process.execPath, ...flags, program, 'start', '--config', writeVkitm(assignment)],
  }
}

function writeVkitm({ folder, certificate, port, brokerId, brokerPort, limits, rules }: Assignment): string {
  const listener = {
    name: 'clients',
    bind: `127.0.0.1:${port}`,
    expose: 'ports',
    brokerPorts: { first: port + 1, count: 1, firstId: brokerId },
    tls: { certificate: certificate.certificate, key: certificate.key },
  }
  const cluster = {
    name: 'bench',
    upstream: { bootstrap: [`127.0.0.1:${brokerPort}`] },
    listeners: [listener],
    policy: rules === undefined ? 'none' : writePolicy(folder, rules),
  }
  const config = { clusters: [cluster], admin: 'none', ...(limits && { limits }), log: { level: 'warn' } }
  // JSON is YAML.
  return written(join(folder, 'vkitm.yaml'), JSON.stringify(config, null, 2))
}

function writePolicy(folder: string, rules: number): object {
  return {
    model: join(root, 'policies', 'model.conf'),
    rules: written(join(folder, 'policy.csv'), policyInForce(rules)),
  }
}

function written(file: string, text: string): string {
  writeFileSync(file, text)
  return file
}

/** What `pattern` captures in the program's output; undefined where the program is not there. */
function printed(program: string, args: readonly string[], pattern: RegExp): string | undefined {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  return error ? undefined : pattern.exec(stdout + stderr)?.[1]
}
