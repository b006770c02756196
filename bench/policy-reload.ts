// How soon 10,000 changed rules are in force, and how long the event loop stands still meanwhile: for a model that vkitm
// ships, and for one that casbin has to run.
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FileContent } from '../src/config/config.ts'
import { PolicyInForce } from '../src/gateway/policy-in-force.ts'
import { Reloader } from '../src/gateway/reloader.ts'
import { createLog } from '../src/telemetry/log.ts'
import { Metrics } from '../src/telemetry/metrics.ts'
import { rulesText } from './random-rules.ts'
import type { Figure, Row, Sample } from './row.ts'

const RULES = 10_000
const PATIENCE_MS = 60_000

const figure = (id: string, title: string, max?: number): Figure => ({
  id,
  title,
  unit: 'ms',
  digits: 0,
  clock: true,
  ...(max === undefined ? {} : { goal: { against: 'nothing', max } }),
})

export const policyReload: Row = {
  id: 'policy-reload',
  process: 'kept',
  includesDirect: false,
  figures: [
    figure('policyReload', 'a changed file of 10,000 rules is in force', 1_500),
    figure('policyStall', 'longest stall of the event loop meanwhile', 50),
    figure('ownModelReload', 'the same under a model of your own', 1_500),
    figure('ownModelStall', 'longest stall under a model of your own'),
  ],
  async measure({ name }): Promise<Sample> {
    // The others have no policies.
    if (name !== 'vkitm') return {}
    const shipped = readFileSync('policies/model.conf', 'utf8')
    const ours = await reloaded(shipped)
    const own = await reloaded(shipped.replace(/^m = .*$/m, '$& && r.op != ""'))
    return {
      policyReload: ours.elapsedMs,
      policyStall: ours.stallMs,
      ownModelReload: own.elapsedMs,
      ownModelStall: own.stallMs,
    }
  },
}

async function reloaded(modelText: string): Promise<{ readonly elapsedMs: number; readonly stallMs: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'vkitm-bench-'))
  const file = (name: string, text: string): FileContent => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return { path, content: Buffer.from(text) } as FileContent
  }
  const rules = rulesText(RULES)
  const [log, metrics] = [createLog({ level: 'error' }), new Metrics({ apiName: () => undefined })]
  const policy = await PolicyInForce.load({
    cluster: 'bench',
    config: {
      model: file('model.conf', modelText),
      rules: file('policy.csv', rules),
      mode: 'enforce',
      superUsers: [],
      internalTopics: 'named',
    },
    knownNames: () => [],
    strangers: log,
    metrics,
  })
  const reloader = new Reloader({ reloadables: [policy], log, metrics, since: new Date() })
  await reloader.start()
  try {
    return await watched(() => {
      writeFileSync(join(folder, 'new'), `${rules}\np, User:new, topic, new, read, allow\n`)
      renameSync(join(folder, 'new'), join(folder, 'policy.csv'))
      return () => policy.current.inForce.generation > 1
    })
  } finally {
    reloader.close()
    rmSync(folder, { recursive: true })
  }
}

/** Looks every millisecond; a look that comes late is a stall. */
async function watched(change: () => () => boolean): Promise<{ readonly elapsedMs: number; readonly stallMs: number }> {
  const isDone = change()
  const started = performance.now()
  let [last, stallMs] = [started, 0]
  while (!isDone()) {
    if (last - started > PATIENCE_MS) throw new Error('the change never came into force')
    await delay(1)
    const now = performance.now()
    stallMs = Math.max(stallMs, now - last)
    last = now
  }
  return { elapsedMs: last - started, stallMs }
}
