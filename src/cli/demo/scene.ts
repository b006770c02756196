/** What the steps of the demo share; filled in as the story goes on. */
import type { Gateway } from '../../gateway/gateway.ts'
import type { Log, LogDestination } from '../../telemetry/log.ts'
import { DemoClient } from './demo-client.ts'
import type { DemoPorts } from './free-ports.ts'
import type { makeOrders } from './orders.ts'
import type { User } from './policy.ts'
import type { Screen } from './screen.ts'
import type { DemoUpstream } from './upstream.ts'
import { gatewayHost, type Workspace } from './workspace.ts'

export interface Scene {
  readonly screen: Screen
  readonly workspace: Workspace
  readonly log: Log
  /** Where decisions are written down. */
  readonly audit: LogDestination
  readonly isKafka: boolean
  readonly orders: ReturnType<typeof makeOrders>
  readonly clients: Map<User, DemoClient>
  ports?: DemoPorts
  upstream?: DemoUpstream
  gateway?: Gateway | undefined
  /** Somebody else minds the signals now. */
  isServed?: boolean
}

export const upstreamOf = ({ upstream }: Scene): DemoUpstream => told(upstream)
export const portsOf = ({ ports }: Scene): DemoPorts => told(ports)

/** One that stays connected until the story ends. */
export function clientOf(scene: Scene, user: User): DemoClient {
  const known = scene.clients.get(user)
  if (known !== undefined) return known
  const client = newClient(scene, user)
  scene.clients.set(user, client)
  return client
}

export function newClient(scene: Scene, user: User): DemoClient {
  const { workspace } = scene
  return new DemoClient({
    host: gatewayHost,
    port: portsOf(scene).bootstrap,
    ca: workspace.authority,
    identity: workspace.identityOf(user),
  })
}

export function countOf(orders: Scene['orders']): number {
  return [...orders.values()].reduce((sum, { length }) => sum + length, 0)
}

function told<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a step of the demo came before the one it needs')
  return value
}
