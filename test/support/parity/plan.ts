/** Everything that one batch does, from its seed alone: rules, requests, their order and who asks. */
import type { ApiKey } from '../../../src/protocol/api-key.ts'
import { describeApi } from '../../../src/protocol/api-table.ts'
import { Random } from '../../../tools/golden/random.ts'
import { type Acl, randomAcls } from './acl.ts'
import { clientVersionMax, credentialKeys, describers } from './requests/all.ts'
import { type Offered, scripts } from './scripts.ts'
import type { Step } from './step.ts'
import { byCertificate, createWorld, Draw, principals, type World } from './world.ts'

export interface Plan {
  readonly batch: number
  readonly world: World
  readonly acls: readonly Acl[]
  /** Conversations of one step or more; they do not mix. */
  readonly talks: readonly (readonly Step[])[]
}

/** Every version that a client may use, whoever serves it. */
export function clientVersions(key: ApiKey): number[] {
  const api = describeApi(key)
  if (api === undefined || !describers.has(key)) return []
  const max = Math.min(api.maxVersion, clientVersionMax.get(key) ?? api.maxVersion)
  return Array.from({ length: max - api.minVersion + 1 }, (_, index) => api.minVersion + index)
}

export function planBatch(seed: number, batch: number, offered: Offered = clientVersions): Plan {
  const random = new Random(seed + batch * 0x9e3779b1)
  const world = createWorld(batch)
  const draw = new Draw(random, world)
  const acls = randomAcls(random, world)
  const talks = [...singles(draw, offered), ...conversations(draw, offered)]
  return { batch, world, acls, talks: shuffled(talks, random) }
}

/** Every API in every version once. */
function singles(draw: Draw, offered: Offered): Step[][] {
  return [...describers].flatMap(([key, describe]) =>
    offered(key).map(version => {
      const principal = draw.random.pick(credentialKeys.has(key) ? byCertificate : principals)
      return [{ key, version, principal, connection: 'main', ...describe(draw, version) }]
    }),
  )
}

function conversations(draw: Draw, offered: Offered): Step[][] {
  return Object.entries(scripts).flatMap(([name, write]) =>
    principals.map(principal => write({ draw, offered, principal, id: `${name}-${principal}` })),
  )
}

function shuffled<Value>(values: readonly Value[], random: Random): Value[] {
  const left = [...values]
  for (let at = left.length - 1; at > 0; at--) {
    const other = random.below(at + 1)
    ;[left[at], left[other]] = [left[other]!, left[at]!]
  }
  return left
}

export function itemsOf({ talks }: Plan): number {
  return talks.flat().reduce((sum, { items }) => sum + items, 0)
}
