import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { RE2JS } from 're2js'
import { CompiledExpressions } from '../../src/acl/compiled-expressions.ts'

const problemOf = (expression: string): string | undefined => {
  const compiled = new CompiledExpressions().of(expression)
  return 'problem' in compiled ? compiled.problem : undefined
}

describe('an expression of a client', () => {
  it('may be what people subscribe by', () => {
    const sensible = [
      'orders-.*',
      '(orders|payments)\\.(eu|us)\\.[a-z]{2}-\\d{4}-v[0-9]+',
      '.{0,249}',
      '[a-zA-Z0-9._-]{1,249}',
      '\\Qmirror.source.\\E.*',
      '(?i)[[:alnum:]]+\\.(\\pL{1,20}|[^x]{3,})',
      Array.from({ length: 55 }, (_, at) => `orders-eu-prod-${at}`).join('|'),
      'x'.repeat(1024),
    ]
    for (const expression of sensible) assert.equal(problemOf(expression), undefined, expression)
  })

  it('B-31: is refused where its repetitions would make it large, before anybody writes them out', () => {
    const compile = mock.method(RE2JS, 'compile')
    const large = [
      '((.?){30}){30}N',
      '((\\b|.?){25}){25}',
      '(.?){1000}'.repeat(100),
      `(${'x'.repeat(900)}){1000}`,
      '\\Q[\\E((.?){30}){30}]',
      '[](]((.?){30}){30}',
      '(?:[a\\]](.?){30}){30,}',
      `[${'\\pL'.repeat(300)}]`,
    ]
    for (const expression of large) assert.equal(problemOf(expression), 'expression too large', expression)
    assert.equal(compile.mock.callCount(), 0)
    compile.mock.restore()
  })

  it('B-31: is refused where it is large all the same', () => {
    for (const expression of ['.{0,800}', '()'.repeat(500)]) assert.equal(problemOf(expression), 'expression too large')
  })

  it('is told what is wrong with it, in the words of RE2', () => {
    assert.equal(problemOf('a('), 'missing closing )')
    assert.match(problemOf('x'.repeat(1025)) ?? '', /longer than 1024/)
    for (const expression of [')', '{3}', '[', '\\', '\\Q(', 'a{2}{3}', '(?']) problemOf(expression)
  })

  it('is compiled once; of very many only the last are kept', () => {
    const compile = mock.method(RE2JS, 'compile')
    const expressions = new CompiledExpressions()
    assert.equal(expressions.of('a.*'), expressions.of('a.*'))
    assert.equal(expressions.of('b('), expressions.of('b('))
    assert.equal(compile.mock.callCount(), 2)
    for (let at = 0; at < 100; at++) expressions.of(`a${at}`)
    expressions.of('a.*')
    assert.equal(compile.mock.callCount(), 103)
    compile.mock.restore()
  })
})
