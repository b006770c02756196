/** Every way for clients to come in with every way to go on to brokers: real clients, a real broker, one gateway. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { parseConfig } from '../../src/config/load-config.ts'
import { ConfigError } from '../../src/errors.ts'
import * as readme from '../docs/configurations.ts'
import { clientCases } from '../support/client-cases.ts'
import { type ClientName, type ClientReport, clientMissing, type Job, runClient, runJobs } from '../support/clients.ts'
import { skipReason } from '../support/kafka.ts'
import { joinedGroups } from '../support/matrix-broker.ts'
import {
  allPairs,
  backs,
  type Cell,
  cells,
  commonCells,
  fronts,
  nameOf,
  pairsOf,
  refusedFronts,
  sides,
  titleOf,
} from '../support/matrix-cells.ts'
import { backKeys, frontKeys } from '../support/matrix-keys.ts'
import { type Matrix, openMatrix, seenAtBroker } from '../support/matrix-lab.ts'
import { complaints, type Expectations } from '../support/oracle.ts'

const everyCell = ['java', 'confluent'] as const
const someCells = ['kafkajs', 'franz', 'kcat'] as const
const parallel = 6

interface Run {
  readonly cell: Cell
  readonly client: ClientName
}

/** Debian's librdkafka has no SCRAM that anybody accepts since CVE-2024-56128, and signs no token. */
const kcatLogins = new Set(['none', 'PLAIN'])
const runs: readonly Run[] = [
  ...everyCell.flatMap(client => cells.map(cell => ({ cell, client }))),
  ...someCells.flatMap(client =>
    commonCells.filter(({ front }) => client !== 'kcat' || kcatLogins.has(front.login)).map(cell => ({ cell, client })),
  ),
]

describe('the cells', () => {
  it('hold every way in and every way on, and every two choices that can be had together', () => {
    assert.deepEqual([...fronts, ...refusedFronts].map(nameOf).sort(), sides.map(nameOf).sort())
    for (const side of fronts)
      assert.ok(
        cells.some(({ front }) => isDeepStrictEqual(front, side)),
        nameOf(side),
      )
    for (const side of backs)
      assert.ok(
        cells.some(({ back }) => isDeepStrictEqual(back, side)),
        nameOf(side),
      )
    const held = new Set(cells.flatMap(pairsOf))
    assert.deepEqual(
      [...allPairs].filter(pair => !held.has(pair)),
      [],
    )
    // 13 ways in, 15 ways on and no choice of one that cannot meet a choice of the other.
    assert.deepEqual([sides.length, fronts.length, backs.length, allPairs.size], [15, 13, 15, 13 + 15 + 64])
    assert.deepEqual(new Set(cells.map(({ mode }) => mode)), new Set(['service', 'mapped', 'passthrough']))
    assert.equal(commonCells.length, 6)
  })

  it('leave out what the configuration refuses, and nothing else', async () => {
    for (const side of sides) {
      const refused = refusedFronts.find(each => nameOf(each) === nameOf(side))
      const problems = (await problemsOf(side)).filter(message => /this listener has no TLS/.test(message))
      assert.deepEqual(problems, refused === undefined ? [] : [refused.reason], nameOf(side))
    }
  })

  it("hold every row of README's tables", () => {
    for (const { name, keys } of readme.fronts)
      assert.ok(
        cells.some(({ front }) => isDeepStrictEqual(frontKeys(front), keys)),
        name,
      )
    for (const { name, keys } of readme.backs)
      assert.ok(
        cells.some(cell => isDeepStrictEqual(backKeys(cell), keys)),
        name,
      )
  })
})

describe('real clients, in every cell', { skip: skipReason() || clientMissing('java'), timeout: 600_000 }, () => {
  let matrix: Matrix
  let results: Results

  before(async () => {
    matrix = await openMatrix()
    results = new Results(matrix)
    await matrix.prepare(runs.map(({ cell, client }) => matrix.jobOf(cell, client)))
    results.start()
  })
  after(async () => {
    await results?.ended()
    await matrix?.close()
  })

  for (const run of runs) {
    const { cell, client } = run
    it(`${client}: ${titleOf(cell)}`, { skip: clientMissing(client) }, async () => {
      const job = matrix.jobOf(cell, client)
      const report = await results.of(run)
      assert.equal(report.facts.get('failed')?.join('\n'), undefined)
      assert.deepEqual(complaints(job, report, expectationsOf(client)), [])
    })
  }

  it('the broker saw each of them where the cell says, and as whom it says', async () => {
    await results.ended()
    const joined = joinedGroups(matrix.kafka)
    const here = runs.filter(({ client }) => !clientMissing(client))
    const seen = ({ cell, client }: Run) => [...(joined.get(matrix.jobOf(cell, client).group) ?? ['nowhere'])].join()
    assert.deepEqual(
      here.map(run => `${run.client}, ${titleOf(run.cell)}: ${seen(run)}`),
      here.map(({ client, cell }) => `${client}, ${titleOf(cell)}: ${seenAtBroker(cell)}`),
    )
  })

  it('the gateway logged no error', () => {
    assert.deepEqual(
      matrix.gateway.log.filter(({ level }) => level === 'error'),
      [],
    )
  })
})

function expectationsOf(client: ClientName): Expectations {
  const { ownTimestamps, ...expected } =
    clientCases.find(each => each.client === client && each.idempotent)!.expected ?? {}
  return { ...expected, ...(ownTimestamps ? { timestampsBetween: [0, Number.MAX_SAFE_INTEGER] } : {}) }
}

async function problemsOf(side: (typeof sides)[number]): Promise<string[]> {
  const keys = { bind: '127.0.0.1:9092', expose: 'ports', brokerPorts: '9100-9101', ...frontKeys(side) }
  const upstream = { bootstrap: ['127.0.0.1:19092'] }
  const config = { clusters: [{ name: 'main', upstream, listeners: [{ name: 'clients', ...keys }], policy: 'none' }] }
  const machine = { descriptors: 20_000, memoryBytes: 2 ** 33 }
  try {
    await parseConfig(JSON.stringify(config), '/nowhere/vkitm.yaml', { env: {}, machine })
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ message }) => message)
    throw error
  }
}

/** All clients at once: one process for all cells of Java's and librdkafka's, the others cell by cell. */
class Results {
  readonly #matrix: Matrix
  readonly #reports = new Map<Run, PromiseWithResolvers<ClientReport>>()
  #all: Promise<unknown> = Promise.resolve()

  constructor(matrix: Matrix) {
    this.#matrix = matrix
    for (const run of runs) this.#reports.set(run, withResolvers())
  }

  of(run: Run): Promise<ClientReport> {
    return this.#reports.get(run)!.promise
  }

  async ended(): Promise<void> {
    await this.#all
  }

  start(): void {
    const together = everyCell.filter(client => !clientMissing(client)).map(client => this.#runTogether(client))
    this.#all = Promise.all([...together, ...someCells.map(client => this.#runAlone(client))])
  }

  async #runTogether(client: (typeof everyCell)[number]): Promise<void> {
    const own = runs.filter(run => run.client === client)
    const jobs = own.map(run => this.#jobOf(run))
    try {
      await runJobs(client, jobs, {
        parallel,
        jvm: this.#matrix.jvm,
        timeoutMs: 400_000,
        onEnded: (at, report) => this.#reports.get(own[at]!)!.resolve(report),
      })
    } catch (error) {
      for (const run of own) this.#reports.get(run)!.reject(error)
    }
    for (const run of own) this.#reports.get(run)!.reject(new Error(`${client} said nothing of it`))
  }

  async #runAlone(client: ClientName): Promise<void> {
    if (clientMissing(client)) return
    for (const run of runs.filter(each => each.client === client)) {
      const { resolve, reject } = this.#reports.get(run)!
      await runClient(client, this.#jobOf(run)).then(resolve, reject)
    }
  }

  #jobOf({ cell, client }: Run): Job {
    return this.#matrix.jobOf(cell, client)
  }
}

interface PromiseWithResolvers<Value> {
  readonly promise: Promise<Value>
  readonly resolve: (value: Value) => void
  readonly reject: (error: unknown) => void
}

function withResolvers<Value>(): PromiseWithResolvers<Value> {
  let resolve!: (value: Value) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<Value>((good, bad) => {
    resolve = good
    reject = bad
  })
  // Whoever waits for it hears of it, sooner or later.
  promise.catch(() => undefined)
  return { promise, resolve, reject }
}
