// A contestant at work: started, proven to serve, stopped.
import type { ChildProcess } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { end, hasEnded, start } from '../test/support/child-process.ts'
import { type Endpoint, KafkaConnection } from './connection.ts'
import { type Assignment, type Contestant, expectedCipher } from './contestants.ts'
import { apiVersionsRequest } from './frames.ts'

const readyTimeoutMs = 20_000
const stopTimeoutMs = 10_000

export class ProxyProcess {
  readonly name: string
  readonly endpoint: Endpoint
  readonly #child: ChildProcess
  readonly #logFile: string

  private constructor(name: string, endpoint: Endpoint, child: ChildProcess, logFile: string) {
    this.name = name
    this.endpoint = endpoint
    this.#child = child
    this.#logFile = logFile
  }

  static async start(contestant: Contestant, assignment: Assignment): Promise<ProxyProcess> {
    mkdirSync(assignment.folder, { recursive: true })
    const logFile = join(assignment.folder, 'output.log')
    const log = openSync(logFile, 'a')
    const [program, ...args] = contestant.command(assignment)
    const child = start(program, args, { stdio: ['ignore', log, log] })
    closeSync(log)
    const endpoint = { port: assignment.port, ca: assignment.certificate.ca }
    const proxy = new ProxyProcess(contestant.name, endpoint, child, logFile)
    await proxy.#ready()
    return proxy
  }

  get pid(): number {
    if (this.#child.pid === undefined || hasEnded(this.#child)) throw new Error(this.#says('the process has ended'))
    return this.#child.pid
  }

  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopTimeoutMs)
    await end(this.#child, 'SIGTERM')
    clearTimeout(timer)
  }

  /** Runs `work` with the proxy; a failure carries what the proxy said. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      throw new Error(this.#says(cause instanceof Error ? cause.message : String(cause)), { cause })
    }
  }

  /** Serving means that a broker has answered through it. */
  async #ready(): Promise<void> {
    const deadline = Date.now() + readyTimeoutMs
    let failure: unknown
    while (!hasEnded(this.#child) && Date.now() < deadline) {
      failure = await probe(this.endpoint)
      if (failure === undefined) return
      await sleep(100)
    }
    await this.stop()
    throw new Error(this.#says('it never served'), { cause: failure })
  }

  #says(what: string): string {
    return `${what}. ${this.name} said:\n${readFileSync(this.#logFile, 'utf8').trim().split('\n').slice(-20).join('\n')}`
  }
}

async function probe(endpoint: Endpoint): Promise<unknown> {
  try {
    const connection = await KafkaConnection.open(endpoint)
    await connection.request(apiVersionsRequest())
    const { name } = connection.socket.getCipher()
    await connection.close()
    return name === expectedCipher ? undefined : new Error(`chose the cipher ${name}, not ${expectedCipher}`)
  } catch (error) {
    return error
  }
}
