import { startEmbeddedCluster } from '../../embedded/embedded-cluster.ts'
import { ApiKey } from '../../protocol/api-key.ts'
import { type DemoUpstream, excerpt } from './upstream.ts'

export async function startEmbeddedUpstream(): Promise<DemoUpstream> {
  const cluster = await startEmbeddedCluster({ nodes: 3, seenMax: 1_000 })
  return {
    about: '3 brokers in memory, plaintext',
    bootstrap: cluster.bootstrap,
    excerptWith: async text => {
      const request = cluster.seen.of(ApiKey.Produce).find(({ bytes }) => bytes.includes(text))
      return request && excerpt(request.bytes, text)
    },
    stop: () => cluster.stop(),
  }
}
