// The gateway as a process of its own, started the way users start it.
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { stringify } from 'yaml'
import { end, hasEnded, start } from './child-process.ts'
import { projectRoot } from './client-builds.ts'
import { freePorts } from './free-ports.ts'

export interface GatewayOptions {
  /** The configuration, written as YAML; `admin` gets a free port unless it says otherwise. */
  readonly config: object
  /** Host names that resolve to 127.0.0.1 for this process alone. */
  readonly hosts?: readonly string[]
  readonly nodeFlags?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  readonly readyTimeoutMs?: number
}

export interface LogLine {
  readonly level: string
  readonly message: string
  readonly [key: string]: unknown
}

export interface GatewayProcess {
  readonly pid: number
  readonly configFile: string
  /** `host:port` of the admin pages. */
  readonly admin: string
  /** Every line of the log so far. */
  readonly log: readonly LogLine[]
  readonly alive: boolean
  /** Resolves with the first line, past or future, that fits. */
  logged(fits: (line: LogLine) => boolean, timeoutMs?: number): Promise<LogLine>
  /** Ends the process, by default as a supervisor would, and gives its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

const readyMessage = 'vkitm is ready'
const program = join(projectRoot, 'dist', 'cli', 'main.js')
const preload = join(projectRoot, 'test', 'support', 'hosts-preload.mjs')

export async function startGateway(options: GatewayOptions): Promise<GatewayProcess> {
  const { config, hosts = [], nodeFlags = [], env = {}, readyTimeoutMs = 20_000 } = options
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-gateway-'))
  const configFile = join(folder, 'vkitm.yaml')
  const [adminPort] = await freePorts(1)
  const all = { admin: { bind: `127.0.0.1:${adminPort}` }, ...config }
  writeFileSync(configFile, stringify(all))
  const args = [...nodeFlags, '--enable-source-maps', '--import', preload, program, 'start', '--config', configFile]
  const child = start(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env, VKITM_TEST_HOSTS: hosts.join(',') },
  })
  const gateway = new RunningGateway({ child, folder, configFile, admin: all.admin.bind })
  try {
    await gateway.logged(({ message }) => message === readyMessage, readyTimeoutMs)
  } catch (error) {
    await gateway.stop('SIGKILL')
    throw error
  }
  return gateway
}

class RunningGateway implements GatewayProcess {
  readonly configFile: string
  readonly admin: string
  readonly log: LogLine[] = []
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #waiting = new Set<(line: LogLine) => void>()
  #stderr = ''

  constructor(options: { child: ChildProcess; folder: string; configFile: string; admin: string }) {
    const { child, folder, configFile, admin } = options
    this.#child = child
    this.#folder = folder
    this.configFile = configFile
    this.admin = admin
    createInterface({ input: child.stdout! }).on('line', text => this.#take(text))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  get alive(): boolean {
    return !hasEnded(this.#child)
  }

  async logged(fits: (line: LogLine) => boolean, timeoutMs = 10_000): Promise<LogLine> {
    const past = this.log.find(fits)
    if (past !== undefined) return past
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        this.#waiting.delete(look)
        this.#child.off('close', onClose)
        clearTimeout(timer)
        act()
      }
      const look = (line: LogLine) => {
        if (fits(line)) settle(() => resolve(line))
      }
      const onClose = () => settle(() => reject(new Error(`the gateway ended\n${this.#lastWords()}`)))
      const onTimeout = () => settle(() => reject(new Error(`not logged in ${timeoutMs} ms\n${this.#lastWords()}`)))
      const timer = setTimeout(onTimeout, timeoutMs)
      this.#waiting.add(look)
      this.#child.once('close', onClose)
    })
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    await end(this.#child, signal)
    rmSync(this.#folder, { recursive: true, force: true })
    return this.#child.exitCode
  }

  #take(text: string): void {
    const line = parse(text)
    this.log.push(line)
    for (const look of this.#waiting) look(line)
  }

  #lastWords(): string {
    const lines = this.log.slice(-20).map(line => JSON.stringify(line))
    return [...lines, this.#stderr.trim()].join('\n')
  }
}

/** A line that is not JSON is worth seeing, too. */
function parse(text: string): LogLine {
  try {
    return JSON.parse(text)
  } catch {
    return { level: 'unknown', message: text }
  }
}
