// Java's client library from Maven Central, kept outside the work tree: the source of the definitions, the judge of the codec.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

export const kafkaVersion = '4.4.0'

const artifacts = [
  ['org.apache.kafka', 'kafka-clients', kafkaVersion],
  ['com.fasterxml.jackson.core', 'jackson-databind', '2.19.2'],
  ['com.fasterxml.jackson.datatype', 'jackson-datatype-jdk8', '2.19.2'],
  ['org.slf4j', 'slf4j-nop', '1.7.36'],
] as const

const cache = join(process.env.VKITM_CACHE ?? join(homedir(), '.cache', 'vkitm'), `codec-kafka-clients-${kafkaVersion}`)

/** Why Java's side cannot run here; undefined where it can. */
export function javaMissing(): string | undefined {
  for (const [command, argument] of [
    ['java', '-version'],
    ['javac', '-version'],
    ['mvn', '-v'],
  ] as const) {
    if (spawnSync(command, [argument]).status !== 0) return `${command} is not installed`
  }
  return undefined
}

export function kafkaClientsJar(): string {
  return join(jars(), `kafka-clients-${kafkaVersion}.jar`)
}

export function classPath(): string {
  const folder = jars()
  return readdirSync(folder)
    .filter(name => name.endsWith('.jar'))
    .map(name => join(folder, name))
    .join(delimiter)
}

export function run(command: string, args: readonly string[]): string {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (result.error !== undefined) throw result.error
  if (result.status !== 0) throw new Error(`${command} failed with ${result.status}: ${result.stderr || result.stdout}`)
  return result.stdout
}

function jars(): string {
  const folder = join(cache, 'jars')
  if (existsSync(join(folder, '.complete'))) return folder
  mkdirSync(folder, { recursive: true })
  const pom = join(cache, 'pom.xml')
  writeFileSync(pom, pomText())
  run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`])
  writeFileSync(join(folder, '.complete'), '')
  return folder
}

function pomText(): string {
  const dependencies = artifacts.map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  )
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>vkitm</groupId><artifactId>codec</artifactId><version>1</version>
  <dependencies>${dependencies.join('')}</dependencies>
</project>
`
}
