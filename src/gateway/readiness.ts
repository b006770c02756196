import type { Clients } from './clients.ts'
import type { Cluster } from './cluster.ts'

/** Why the gateway should get no new clients, each with the line to change; empty when it is ready. */
export function unreadyReasons(clusters: readonly Cluster[], clients: readonly (readonly Clients[])[]): string[] {
  return clusters.flatMap((cluster, at) => {
    const { snapshot } = cluster.view
    if (snapshot === undefined || cluster.watch.failure !== undefined) return [unreachable(cluster)]
    return (clients[at] ?? []).flatMap(({ name, book }) =>
      [...snapshot.brokers.keys()]
        .filter(nodeId => book.addressOf(nodeId) === undefined)
        .map(nodeId => noPort(cluster, name, nodeId)),
    )
  })
}

function unreachable({ name, watch }: Cluster): string {
  const why = watch.failure instanceof Error ? watch.failure.message : 'no answer yet'
  return `cluster ${name} is not reached: ${why} (clusters.${name}.upstream.bootstrap)`
}

function noPort({ name }: Cluster, listener: string, nodeId: number): string {
  return `broker ${nodeId} of cluster ${name} has no port on listener ${listener}: widen brokerPorts to include it`
}
