import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, TlsError } from '../../src/errors.ts'
import { parsePrincipalRules } from '../../src/identity/principal-rules.ts'

const SUBJECT = 'CN=Alice,OU=Service Users,O=Acme\\, Inc.,C=DE'
const name = (rules: string | readonly string[], subject = SUBJECT) =>
  parsePrincipalRules(typeof rules === 'string' ? [rules] : rules)(subject).name

describe('what a rule makes of a subject', () => {
  const cases: readonly [rule: string, name: string, subject?: string][] = [
    ['DEFAULT', SUBJECT],
    ['RULE:^CN=([^,]+).*$/$1/', 'Alice'],
    ['RULE:^CN=([^,]+).*$/$1/L', 'alice'],
    ['RULE:^CN=(.*?),OU=(.*?),.*$/$1@$2/U', 'ALICE@SERVICE USERS'],
    ['RULE:.*CN=(\\w+).*/user-$1/', 'user-Alice'],
    ['RULE:CN=(.*),OU=(.*),O=(.*),C=(.*)/$4\\/$1/', 'DE/Alice'],
    ['RULE:^CN=([^,]+),.*$/$0/', SUBJECT],
    ['RULE:^CN=(?<who>[^,]+),.*$/$\x7bwho}/', 'Alice'],
    ['RULE:^CN=([^,]+),.*$/\\$$1/', '$Alice'],
    // With one group $12 is the first and a 2; a reference beyond the groups is literal.
    ['RULE:^CN=([^,]+),.*$/$12/', 'Alice2'],
    ['RULE:^CN=([^,]+),.*$/$2/', '$2'],
    // A group that took no part is empty.
    ['RULE:^CN=(Bob)?.*$/[$1]/', '[]'],
    // Every find is replaced: an empty one follows a greedy match of all, a lazy one stops early.
    ['RULE:.*/x/', 'xx'],
    ['RULE:CN=(.*?)/[$1]/', '[]Alice', 'CN=Alice'],
    ['RULE:[A-Z]+=\\w+/<$0>/', '<CN=Alice>', 'CN=Alice'],
  ]
  for (const [rule, expected, subject] of cases) test(rule, () => assert.equal(name(rule, subject), expected))
})

describe('which rule decides', () => {
  test('the first that matches the whole subject', () => {
    assert.equal(name(['RULE:^CN=Bob.*$/bob/', 'RULE:^CN=Alice.*$/alice/', 'DEFAULT']), 'alice')
    assert.equal(name(['RULE:CN=Alice/alice/', 'DEFAULT']), SUBJECT)
  })
  test('several in one text, as a broker has them', () => {
    const rules = 'RULE:^CN=([^,]+),OU=Robots.*$/robot-$1/L , RULE:^CN=([^,]+),OU=.*,O=.*$/$1/U,DEFAULT'
    assert.equal(name(rules), 'ALICE')
    assert.equal(name(rules, 'CN=R2,OU=Robots,O=x'), 'robot-r2')
    assert.equal(name(rules, 'CN=x'), 'CN=x')
  })
  test('DEFAULT where there is none', () => assert.equal(name([]), SUBJECT))
  test('without a match there is no principal', () => {
    assert.throws(
      () => name('RULE:^CN=Bob$/bob/'),
      (error: unknown) => error instanceof TlsError && /no principal rule matches/.test(error.message),
    )
  })
  test('an empty subject is nobody, whatever the rules make of it', () => {
    assert.throws(() => name('RULE:.*/guest/', ''), TlsError)
    assert.throws(() => name('DEFAULT', ''), TlsError)
  })
  test('a rule cannot make a name that is refused elsewhere', () => {
    assert.throws(() => name('RULE:.*(x?)/$1/'), /its name is empty/)
    assert.throws(() => name('RULE:^.*$/ANONYMOUS/'), /kept for clients without a credential/)
    assert.throws(() => name('DEFAULT', 'CN=a\nb'), /control characters/)
  })
})

describe('Java and JavaScript read patterns alike, or the rule is refused', () => {
  const matching: readonly [pattern: string, subject: string, matches: boolean][] = [
    ['CN=.', 'CN=😀', true],
    ['CN=.', 'CN=\u0085', false],
    ['CN=\\s', 'CN=\u00a0', false],
    ['CN=\\s', 'CN= ', true],
    ['CN=[\\s\\-x]+', 'CN=- x', true],
    ['CN=\\S+', 'CN=\u00a0', true],
    ['CN=\\,\\=\\#\\-\\@', 'CN=,=#-@', true],
    ['CN=\\p{Lu}\\p{L}+', 'CN=Éric', true],
    ['CN=\\u0041\\x42', 'CN=AB', true],
    ['CN=(a)\\1', 'CN=aa', true],
    ['(?=CN)(?!CX)CN=(?:a|b){2,3}', 'CN=aba', true],
    ['a]b}', 'a]b}', true],
    ['A|B', 'B', true],
    ['A|B', 'AB', false],
  ]
  for (const [pattern, subject, matches] of matching) {
    test(`${pattern} and ${JSON.stringify(subject)}`, () => {
      assert.equal(name([`RULE:${pattern}/yes/`, 'RULE:[^q]*/no/', 'DEFAULT'], subject).startsWith('yes'), matches)
    })
  }
})

describe('a rule that cannot work is named when the configuration is read', () => {
  const wrong: readonly [rule: string, reason: RegExp][] = [
    ['CN=alice', /is no rule: write DEFAULT or RULE:/],
    ['RULE:a/b', /is no rule/],
    ['RULE:a/b/X', /"X" after "RULE:a\/b\/" is no part of a rule/],
    ['RULE:a/b/LU', /"U" after/],
    ['DEFAULT RULE:a/b/', /after "DEFAULT"/],
    ['RULE:(a/b/', /group/i],
    ['RULE:a)|(b/c/', /unmatched|parenthes/i],
    ['RULE:CN=a/$1/', /\$1 names no group: the pattern has none/],
    ['RULE:CN=(a)/$2$3/', /\$3 names no group: the pattern has 1/],
    ['RULE:CN=(a)/$x/', /\$ without a group/],
    ['RULE:CN=(a)/$\x7bwho}/', /\$\{who\} names no group of the pattern/],
    ['RULE:(?i)cn=(.*)/$1/', /flags/],
    ['RULE:CN=a++/b/', /possessive/],
    ['RULE:CN=a{1,2}+/b/', /possessive/],
    ['RULE:(?>a)/b/', /atomic/],
    ['RULE:[a-z&&[^b]]+/b/', /intersection/],
    ['RULE:[a[b]]+/b/', /union/],
    ['RULE:[]a]+/b/', /first character of a class/],
    ['RULE:\\p{Alpha}+/b/', /\\p is not supported/],
    ['RULE:\\Qa.b\\E/b/', /\\Q is not supported/],
    ['RULE:\\h+/b/', /\\h is not supported/],
    ['RULE:a{x/b/', /\{ without a count/],
    ['RULE:*/b/', /nothing to repeat/i],
  ]
  for (const [rule, reason] of wrong) {
    test(rule, () => {
      assert.throws(
        () => parsePrincipalRules(['DEFAULT', rule]),
        (error: unknown) => {
          assert.ok(error instanceof ConfigError)
          assert.equal(error.problems[0]?.path, 'rules[1]')
          assert.ok(error.problems[0].message.startsWith(JSON.stringify(rule)), error.problems[0].message)
          assert.match(error.problems[0].message, reason)
          return true
        },
      )
    })
  }
})
