// Other people's programs that judge what we write and make what we read.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../support/child-process.ts'

const VERSION = { openssl: ['version'], keytool: ['-help'], java: ['-version'], kcat: ['-V'] } as const

type Program = keyof typeof VERSION

/** For `skip`: why a test cannot run here. Under CI=true it must run, and fails for want of the program. */
export function without(...programs: Program[]): string | false {
  if (process.env.CI === 'true') return false
  const missing = programs.filter(program => spawnSync(program, VERSION[program]).status !== 0)
  return missing.length === 0 ? false : `no ${missing.join(' and no ')} on this machine`
}

/** A folder for files that programs exchange, and the programs run in it. */
export class Workbench {
  readonly folder = mkdtempSync(join(tmpdir(), 'vkitm-tls-'))

  write(name: string, content: string | Buffer): string {
    const path = join(this.folder, name)
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }

  read(name: string): { path: string; content: Buffer } {
    return { path: join(this.folder, name), content: readFileSync(join(this.folder, name)) }
  }

  async run(program: string, args: readonly string[], input = ''): Promise<string> {
    const { stdout, stderr } = await run(program, args, { cwd: this.folder, input, timeoutMs: 60_000 })
    return stdout + stderr
  }

  /** A command line, its words without spaces of their own. */
  line(text: string): Promise<string> {
    const [program = '', ...args] = text.trim().split(/\s+/)
    return this.run(program, args)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
