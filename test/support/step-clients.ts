// Real clients that are told step by step what to do, as described in test/system/clients/README.md.
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { end, start } from './child-process.ts'
import { type BuiltClient, buildGo, buildJava, buildJavaScript, buildPython } from './client-builds.ts'

export type StepClientName = 'confluent' | 'franz' | 'java' | 'kafkajs'

const builds: Readonly<Record<StepClientName, () => Promise<BuiltClient>>> = {
  confluent: () => buildPython('confluent_steps.py'),
  franz: () => buildGo('franz-steps'),
  java: async () => {
    const { command, args } = await buildJava()
    return { command, args: [...args, 'steps'] }
  },
  kafkajs: () => buildJavaScript('kafkajs-steps.mjs'),
}

/** What a program said, and when it reached the test. */
export interface Said {
  readonly [name: string]: unknown
  readonly at: number
}

export interface StepAnswer {
  /** Records that the library was told are stored, by topic. */
  readonly stored?: Readonly<Record<string, number>>
  /** Records that it handed out, by topic. */
  readonly read?: Readonly<Record<string, number>>
  /** Its own words for what went wrong: the error's name and what it is about. Each once, sorted. */
  readonly errors: readonly string[]
  /** Milliseconds that the step took, in the client. */
  readonly tookMs: number
}

export interface StepClient {
  /** Every line so far but the answers to steps. */
  readonly said: readonly Said[]
  step(step: object, timeoutMs?: number): Promise<StepAnswer>
  /** Begins a step that is not answered before the program ends. */
  begin(step: object): void
  /** Resolves when what was said so far fits, or rejects with what was said. */
  until(what: string, fits: (said: readonly Said[]) => boolean, timeoutMs?: number): Promise<void>
  stop(): Promise<void>
}

/** Compiles and installs what the clients need, so that no step waits for it. */
export async function buildStepClients(names: readonly StepClientName[]): Promise<void> {
  for (const name of names) await builds[name]()
}

export async function startStepClient(name: StepClientName, connection: object): Promise<StepClient> {
  const { command, args, env = {} } = await builds[name]()
  const child = start(command, args, { stdio: 'pipe', env: { ...process.env, ...env } })
  const client = new RunningClient(name, child)
  client.begin(connection)
  return client
}

class RunningClient implements StepClient {
  readonly said: Said[] = []
  readonly #name: string
  readonly #child: ChildProcess
  readonly #answers: StepAnswer[] = []
  readonly #looking = new Set<() => void>()
  #stderr = ''
  #hasEnded = false

  constructor(name: string, child: ChildProcess) {
    this.#name = name
    this.#child = child
    createInterface({ input: child.stdout! }).on('line', line => this.#take(line))
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    // A program that ends too early is noticed by whoever waits for it.
    child.stdin!.on('error', () => {})
    child.once('close', () => {
      this.#hasEnded = true
      for (const look of this.#looking) look()
    })
  }

  begin(step: object): void {
    this.#child.stdin!.write(`${JSON.stringify(step)}\n`)
  }

  async step(step: object, timeoutMs = 60_000): Promise<StepAnswer> {
    const before = this.#answers.length
    this.begin(step)
    await this.#wait(`an answer to ${JSON.stringify(step)}`, () => this.#answers.length > before, timeoutMs)
    return this.#answers[before]!
  }

  until(what: string, fits: (said: readonly Said[]) => boolean, timeoutMs = 30_000): Promise<void> {
    return this.#wait(what, () => fits(this.said), timeoutMs)
  }

  async stop(): Promise<void> {
    await end(this.#child)
  }

  #wait(what: string, holds: () => boolean, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer)
        this.#looking.delete(look)
        act()
      }
      const fail = (why: string) => settle(() => reject(new Error(`${this.#name}, ${what}: ${why}\n${this.#tail()}`)))
      const look = () => {
        if (holds()) settle(resolve)
        else if (this.#hasEnded) fail('the program ended')
      }
      const timer = setTimeout(() => fail(`not within ${timeoutMs} ms`), timeoutMs)
      this.#looking.add(look)
      look()
    })
  }

  #take(text: string): void {
    const line = JSON.parse(text)
    if (line.step !== undefined) this.#answers.push(line.step)
    else this.said.push({ ...line, at: Date.now() })
    for (const look of this.#looking) look()
  }

  #tail(): string {
    const lines = this.said.slice(-20).map(line => JSON.stringify(line))
    return [...lines, ...this.#stderr.trim().split('\n').slice(-30)].join('\n')
  }
}
