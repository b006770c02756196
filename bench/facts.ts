// Where the figures come from. Nothing that names this machine: only what decides how fast it is.
import { spawnSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import type { Search } from './contestants.ts'
import { kafkaVersion } from './testbed.ts'

export type Facts = Readonly<Record<string, string>>

export function gatherFacts(contestants: readonly Search[]): Facts {
  const versions = contestants.map(found => [
    found.name,
    'version' in found ? found.version : `left out: ${found.missing}`,
  ])
  return {
    processor: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: `Linux ${release()}`,
    'load before the run': loadavg()
      .map(load => load.toFixed(1))
      .join(' '),
    Node: `${process.version}, its OpenSSL ${process.versions.openssl}`,
    OpenSSL: firstLine('openssl', ['version']),
    Java: firstLine('java', ['-version']),
    Kafka: kafkaVersion,
    ...Object.fromEntries(versions),
  }
}

function firstLine(program: string, args: readonly string[]): string {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  return error ? 'not there' : ((stdout + stderr).split('\n')[0] ?? '')
}
