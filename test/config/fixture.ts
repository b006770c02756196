import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/config/config.ts'
import { type LoadConfigOptions, parseConfig } from '../../src/config/load-config.ts'
import { ConfigError } from '../../src/errors.ts'

export const machine = { descriptors: 20_000, memoryBytes: 8 * 1024 ** 3 }

/** A folder for the files of one test file; `remove` belongs into `after`. */
export function workFolder(): { path: string; write(name: string, content: string | Buffer): string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'vkitm-config-'))
  return {
    path,
    write(name, content) {
      // A key that others can read is refused.
      writeFileSync(join(path, name), content, { mode: 0o600 })
      return join(path, name)
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

export interface Parts {
  readonly cluster?: string
  readonly upstream?: string
  readonly listener?: string
  readonly root?: string
}

/** A configuration without a fault, with lines of the test's own in one of its sections. */
export function yamlWith({ cluster = '', upstream = '', listener = '', root = '' }: Parts = {}): string {
  const indented = (lines: string, width: number) => lines.replace(/^/gm, ' '.repeat(width))
  return `clusters:
  - name: main
    upstream:
      bootstrap: [10.0.0.1:9092]
${indented(upstream, 6)}
    listeners:
      - name: clients
        bind: 127.0.0.1:9092
        expose: ports
        brokerPorts: 9100-9199
${indented(listener, 8)}
    policy: none
${indented(cluster, 4)}
${root}
`
}

export const parse = (text: string, options: LoadConfigOptions & { readonly folder?: string } = {}): Promise<Config> =>
  parseConfig(text, join(options.folder ?? '/etc/vkitm', 'vkitm.yaml'), { machine, env: {}, ...options })

/** Every problem as `path: message`; fails where there is none. */
export async function problemsOf(
  text: string,
  options: LoadConfigOptions & { readonly folder?: string } = {},
): Promise<string[]> {
  try {
    await parse(text, options)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`)
    throw error
  }
  throw new Error('the configuration was accepted')
}
