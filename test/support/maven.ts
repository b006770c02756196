// Java artifacts and their dependencies from Maven Central, as class paths.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cachedFolder, cacheKey, isCached } from './cache-folder.ts'
import { run } from './child-process.ts'

const copyDependencies = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

/** `group:artifact:version` */
export type Coordinates = string

const keyOf = (artifacts: readonly Coordinates[]) =>
  cacheKey(`jars-${artifacts[0]?.split(':').slice(1).join('-')}`, ...artifacts)

export function hasArtifacts(artifacts: readonly Coordinates[]): boolean {
  return isCached(keyOf(artifacts))
}

/** A class path that holds the artifacts and everything they need at run time. Needs Maven the first time only. */
export async function classPath(artifacts: readonly Coordinates[]): Promise<string> {
  const folder = await cachedFolder(keyOf(artifacts), async draft => {
    const project = mkdtempSync(join(tmpdir(), 'vkitm-maven-'))
    try {
      writeFileSync(join(project, 'pom.xml'), pom(artifacts))
      const args = ['-q', '-B', copyDependencies, '-DincludeScope=runtime', `-DoutputDirectory=${draft}`]
      await run('mvn', args, { cwd: project, timeoutMs: 300_000 })
    } finally {
      rmSync(project, { recursive: true, force: true })
    }
  })
  return join(folder, '*')
}

function pom(artifacts: readonly Coordinates[]): string {
  const dependencies = artifacts.map(coordinates => {
    const [group, artifact, version] = coordinates.split(':')
    const inside = `<groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>`
    return `<dependency>${inside}</dependency>`
  })
  return `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>vkitm</groupId><artifactId>test</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>${dependencies.join('\n')}</dependencies>
</project>
`
}
