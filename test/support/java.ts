// The Java runtime of the tests: is it there, and how is a small machine kept small.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'

const javaMin = 17

/** Flags for short-lived processes on few cores. */
export const frugal = (heapMb: number): readonly string[] => [
  `-Xmx${heapMb}m`,
  `-Xms${Math.min(heapMb, 96)}m`,
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Xshare:auto',
  '-Djava.awt.headless=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
]

/** Major version of the `java` on the path. */
export function javaVersion(): number | undefined {
  const { stderr, status } = spawnSync('java', ['-version'], { encoding: 'utf8' })
  const major = status === 0 ? /version "(\d+)/.exec(stderr)?.[1] : undefined
  return major === undefined ? undefined : Number(major)
}

export function hasMaven(): boolean {
  return spawnSync('mvn', ['-v']).status === 0
}

/** Why Java programs cannot run here. */
export function javaMissing(): string | undefined {
  const version = javaVersion()
  if (version === undefined) return 'no java on the path'
  return version < javaMin ? `java ${version} is older than ${javaMin}` : undefined
}

/**
 * The flag that lets a JVM resolve host names which exist nowhere else. The file replaces the system's
 * resolver, so it names this machine too.
 */
export function privateHosts(file: string, names: readonly string[]): string {
  const all = new Set(['localhost', hostname(), ...names])
  writeFileSync(file, [...all].map(name => `127.0.0.1 ${name}\n`).join(''))
  return `-Djdk.net.hosts.file=${file}`
}
