/**
 * What a client may ask before it is known, wherever its login is judged: the versions, and to log in. Everything else
 * is refused here, once for both ways to log in.
 */
import { WireError } from '../errors.ts'
import type { Client, Exchange } from '../pipeline/exchange.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { ApiKey } from '../protocol/api-key.ts'
import { encodeResponse } from '../protocol/codec.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Frame } from '../wire/frame.ts'
import type { EarlyPeer, EarlyRequests } from './early-requests.ts'
import { unsupportedVersion } from './unsupported-api-versions.ts'

export interface LoginGate {
  readonly pipeline: Pipeline
  readonly metrics: Metrics
  readonly peer: EarlyPeer
  readonly requests: EarlyRequests
}

/** The request, where it is one of a login; undefined where it was refused or answered. */
export function openBeforeLogin(frame: Frame, { pipeline, metrics, peer, requests }: LoginGate): Exchange | undefined {
  const opened = pipeline.open(frame, nobody(peer))
  const { apiKey, apiVersion, correlationId } = 'exchange' in opened ? opened.exchange.header : opened.header
  if (!isLogin(apiKey)) {
    metrics.refused(apiKey, 'not authenticated')
    requests.refuse('a request before login', { apiKey, apiVersion })
    return undefined
  }
  if ('exchange' in opened) {
    metrics.request(apiKey, apiVersion)
    return opened.exchange
  }
  if (apiKey !== ApiKey.ApiVersions) requests.refuse('a version that is not served', { apiKey, apiVersion })
  else requests.write(encodeResponse(apiKey, 0, correlationId, unsupportedVersion(pipeline.served)))
  return undefined
}

const isLogin = (apiKey: number): boolean =>
  apiKey === ApiKey.ApiVersions || apiKey === ApiKey.SaslHandshake || apiKey === ApiKey.SaslAuthenticate

/** Who asks is not known yet, and nothing may be decided by it. */
function nobody({ connection, listener, address, ip, nodeId }: EarlyPeer): Client {
  return {
    connection,
    listener,
    address,
    ip,
    nodeId,
    get principal(): string {
      throw new WireError('nothing is decided by the principal of a client that has none yet')
    },
  }
}
