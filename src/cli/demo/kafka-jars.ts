/** Apache Kafka from Maven Central, kept outside the work tree and keyed by what was asked for, as the tests keep theirs. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { VkitmError } from '../../errors.ts'
import { finished } from './finished.ts'

export const kafkaVersion = '4.4.0'
const artifacts = [`org.apache.kafka:kafka_2.13:${kafkaVersion}`, 'org.slf4j:slf4j-simple:1.7.36']
const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'
const javaMin = 17
const downloadMs = 300_000

/** @throws VkitmError that says what to install. */
export function expectJava(): void {
  const { status, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' })
  const major = Number(status === 0 ? /version "(\d+)/.exec(stderr)?.[1] : Number.NaN)
  if (major >= javaMin) return
  const found = Number.isNaN(major) ? 'no java is on the path' : `the java on the path is ${major}`
  throw missing(`--kafka needs Java ${javaMin} or newer: ${found}`)
}

/** The class path of a broker. `onDownload` is called before Maven brings it, which takes a while the first time. */
export async function kafkaClassPath(onDownload: () => void): Promise<string> {
  const cache = join(homedir(), '.cache', 'vkitm')
  const hash = createHash('sha256').update(JSON.stringify(artifacts)).digest('hex').slice(0, 16)
  const folder = join(cache, `jars-kafka_2.13-${kafkaVersion}-${hash}`)
  if (!existsSync(folder)) {
    if (spawnSync('mvn', ['-v']).status !== 0)
      throw missing('--kafka needs Maven to bring Apache Kafka: no mvn is on the path')
    onDownload()
    await download(cache, folder)
  }
  return join(folder, '*')
}

async function download(cache: string, folder: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const draft = await mkdtemp(join(cache, '.draft-'))
  const project = await mkdtemp(join(cache, '.pom-'))
  try {
    await writeFile(join(project, 'pom.xml'), pom())
    const args = ['-q', '-B', copyDependencies, '-DincludeScope=runtime', `-DoutputDirectory=${draft}`]
    await finished('mvn', args, { cwd: project, timeoutMs: downloadMs })
    // Two demos may have raced: the first to finish gives the folder its name.
    if (!existsSync(folder)) await rename(draft, folder)
  } finally {
    await rm(draft, { recursive: true, force: true })
    await rm(project, { recursive: true, force: true })
  }
}

function pom(): string {
  const dependencies = artifacts.map(coordinates => {
    const [group, artifact, version] = coordinates.split(':')
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
  })
  return `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>vkitm</groupId><artifactId>demo</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>${dependencies.join('')}</dependencies>
</project>
`
}

function missing(message: string): VkitmError {
  return new VkitmError('VKITM_DEMO', `${message} (without --kafka the demo brings brokers of its own)`)
}
