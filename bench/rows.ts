// Every question, in the order it is asked.
import { consumeCpu } from './consume-cpu.ts'
import { decisionSpeed } from './decision-speed.ts'
import { handshakeCpu } from './handshake-cpu.ts'
import { handshakeFlood } from './handshake-flood.ts'
import { idleMemory } from './idle-memory.ts'
import { largeFetch } from './large-fetch.ts'
import { largestRequest } from './largest-request.ts'
import { latency } from './latency.ts'
import { metadataPolicy } from './metadata-policy.ts'
import { policyReload } from './policy-reload.ts'
import { produceCpu } from './produce-cpu.ts'
import type { Row } from './row.ts'
import { smallProduceCpu } from './small-produce-cpu.ts'
import { stalledReaders } from './stalled-readers.ts'

export const rows: readonly Row[] = [
  produceCpu,
  consumeCpu,
  smallProduceCpu,
  idleMemory,
  handshakeCpu,
  latency,
  largeFetch,
  stalledReaders,
  handshakeFlood,
  decisionSpeed,
  metadataPolicy,
  largestRequest,
  policyReload,
]
