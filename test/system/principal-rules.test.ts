// Kafka's own SslPrincipalMapper is the oracle of `identity/principal-rules.ts`.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ConfigError, TlsError } from '../../src/errors.ts'
import { parsePrincipalRules } from '../../src/identity/principal-rules.ts'
import { run } from '../support/child-process.ts'
import { frugal, hasMaven, javaMissing } from '../support/java.ts'
import { classPath, hasArtifacts } from '../support/maven.ts'

const KAFKA = ['org.apache.kafka:kafka-clients:4.4.0']
const PROGRAM = `
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import org.apache.kafka.common.security.ssl.SslPrincipalMapper;
public class Mapper {
  static String text(String hex) { return new String(HexFormat.of().parseHex(hex), StandardCharsets.UTF_8); }
  static String answer(String rules, String subject) {
    SslPrincipalMapper mapper;
    try { mapper = SslPrincipalMapper.fromRules(rules); } catch (RuntimeException e) { return "invalid"; }
    try { return "name " + HexFormat.of().formatHex(mapper.getName(subject).getBytes(StandardCharsets.UTF_8)); }
    catch (java.io.IOException e) { return "none"; }
    catch (RuntimeException e) { return "failed"; }
  }
  public static void main(String[] args) throws Exception {
    var out = new StringBuilder();
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      String[] parts = line.split(" ", -1);
      out.append(answer(text(parts[0]), text(parts[1]))).append('\\n');
    }
    System.out.print(out);
  }
}`

interface Question {
  readonly rules: string
  readonly subject: string
}

const folder = mkdtempSync(join(tmpdir(), 'vkitm-mapper-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** What Kafka answers: a name, `none` (no rule matches), `invalid` (the rules), `failed` (at the handshake). */
async function kafka(questions: readonly Question[]): Promise<string[]> {
  const hex = (text: string) => Buffer.from(text).toString('hex')
  writeFileSync(join(folder, 'Mapper.java'), PROGRAM)
  writeFileSync(
    join(folder, 'questions'),
    questions.map(({ rules, subject }) => `${hex(rules)} ${hex(subject)}`).join('\n'),
  )
  const classes = await classPath(KAFKA)
  const args = [...frugal(256), '-cp', classes, join(folder, 'Mapper.java'), join(folder, 'questions')]
  const { stdout } = await run('java', args, { timeoutMs: 120_000 })
  // The last name may be empty: the blank before it is part of the answer.
  return stdout
    .replace(/\n$/, '')
    .split('\n')
    .map(line => (line.startsWith('name ') ? `name ${Buffer.from(line.slice(5), 'hex')}` : line))
}

function ours({ rules, subject }: Question): string {
  try {
    return `name ${parsePrincipalRules([rules])(subject).name}`
  } catch (error) {
    if (error instanceof ConfigError) return beforehand.test(error.message) ? 'refused' : 'invalid'
    assert.ok(error instanceof TlsError)
    return /no principal rule/.test(error.message) ? 'none' : 'refused'
  }
}

/** What Kafka accepts and then fails at the handshakes where the rule applies, and what we do not translate. */
const beforehand = /names no group|\$ without a group|is not supported/

/** Where we differ on purpose: rules refused beforehand, and names that D-13 does not want. */
function isMeant({ rules }: Question, answer: string, expected: string): boolean {
  // Java finds the empty text between the halves of a character too, and cuts it in two.
  if (expected.includes('?') && answer.startsWith('name ')) return true
  if (answer !== 'refused') return false
  return /\(\?i\)|\$/.test(rules) || isRefusedName(expected)
}

/** Kafka takes any text for a name; `userPrincipal` does not. */
function isRefusedName(expected: string): boolean {
  if (!expected.startsWith('name ')) return false
  const name = expected.slice('name '.length)
  return name === '' || name === 'ANONYMOUS' || Buffer.byteLength(name) > 256 || name !== name.normalize('NFC')
}

/** mulberry32 */
function generator(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const PIECES = [
  'CN=',
  'OU=',
  'O=',
  '([^,]+)',
  '(.*?)',
  '(.*)',
  '(.*)',
  '.*',
  '(.*)',
  '.*',
  ',',
  '\\w+',
  '(a|b)?',
  '^',
  '$',
  '[A-Z]{1,3}',
  '\\,',
  '\\/',
  '(?:x)*',
  '\\s*',
  '(?<n>l.)',
  '.',
  '[\\w ]+',
  '\\p{L}',
]
const REPLACEMENTS = ['$1', '$1', '$0', '$1', '$2', '$0', '$3', '$12', 'x', '-', '\\/', '\\$', '$\x7bn}', '@', '', 'é']
const ENDS = [...Array<string>(12).fill('/'), '/L', '/L', '/U', '/U', '/X', '']
const VALUES = ['alice', 'Bob Lee', 'ab', 'A', 'x', 'É\u0301', 'a\\, b', '😀', ' ', '', 'a/b', 'l1']

function randomQuestion(random: (below: number) => number): Question {
  const pick = (items: readonly string[]) => items[random(items.length)]!
  const some = (items: readonly string[], max: number) =>
    Array.from({ length: random(max + 1) }, () => pick(items)).join('')
  /** Mostly without references to groups that are not there: those are refused and say no more. */
  const replacement = (pattern: string) => {
    const any = some(REPLACEMENTS, 3)
    if (random(10) === 0) return any
    const named = pattern.includes('(?<n>') ? any : any.replaceAll('$\x7bn}', 'n')
    return /\((?!\?[:i])/.test(pattern) ? named : named.replace(/\$[1-9]/g, 'g')
  }
  const body = () => {
    const pattern = some(PIECES, 5)
    return `${random(50) === 0 ? '(?i)' : ''}${pattern}/${replacement(pattern)}`
  }
  const rule = () => (random(8) === 0 ? 'DEFAULT' : `RULE:${body()}${pick(ENDS)}`)
  const rules = Array.from({ length: 1 + random(3) }, rule).join(pick([',', ',', ',', ', ', ' , ', ' ']))
  const subject = ['CN', 'OU', 'O']
    .slice(0, 1 + random(3))
    .map(type => `${type}=${pick(VALUES)}`)
    .join(',')
  return { rules, subject }
}

const missing = javaMissing() ?? (hasArtifacts(KAFKA) || hasMaven() ? undefined : 'no Maven on the path')
const skip = process.env.CI === 'true' ? false : (missing ?? false)

describe('principal rules against the mapper of Kafka 4.4.0', { skip }, () => {
  test('20,000 random rules and subjects', async () => {
    const seed = Number(process.env.VKITM_SEED ?? Date.now() % 1_000_000)
    const random = generator(seed)
    const questions = Array.from({ length: 20_000 }, () => randomQuestion(random))
    const answers = await kafka(questions)
    const seen = new Map<string, number>()
    questions.forEach((question, at) => {
      const [answer, expected] = [ours(question), answers[at]!]
      const kind = answer === expected ? answer.slice(0, 4) : 'meant'
      seen.set(kind, (seen.get(kind) ?? 0) + 1)
      if (answer !== expected && !isMeant(question, answer, expected)) {
        assert.equal(answer, expected, `VKITM_SEED=${seed}: ${JSON.stringify(question)}`)
      }
    })
    console.log(`seed ${seed}: ${[...seen].map(([kind, count]) => `${kind} ${count}`).join(', ')}`)
    assert.ok((seen.get('name') ?? 0) > 4000 && (seen.get('none') ?? 0) > 500, 'the questions are too dull')
  })
})
