import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UpstreamError, WireError } from '../../src/errors.ts'
import { createLog, type Log, type LogLevel } from '../../src/telemetry/log.ts'
import { Secret } from '../../src/telemetry/secret.ts'

function logged(
  write: (log: Log) => void,
  level: LogLevel = 'debug',
): { lines: string[]; objects: Record<string, unknown>[] } {
  const lines: string[] = []
  const destination = { write: (line: string) => void lines.push(line), dropped: 0, flushed: async () => {} }
  write(createLog({ level, destination }))
  return { lines, objects: lines.map(line => JSON.parse(line)) }
}

test('a line is one object with fixed keys, the time in ISO and the level by name', () => {
  const { objects } = logged(log =>
    log
      .child({ listener: 'clients', connection: 7 })
      .info({ principal: 'User:a', apiKey: 0, apiVersion: 12, nodeId: 3 }, 'hello'),
  )
  const [{ time, ...line } = {}] = objects
  assert.deepEqual(line, {
    level: 'info',
    listener: 'clients',
    connection: 7,
    principal: 'User:a',
    apiKey: 0,
    apiVersion: 12,
    nodeId: 3,
    message: 'hello',
  })
  assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/)
})

test('A-26: line ends, escape sequences and marks that reorder text stay escaped inside one line', () => {
  const evil = 'a\r\n{"level":"info"}\u001b[31m\u009b31m\u007f\u2028\u2029\u202e\u2066\u0000b'
  const { lines, objects } = logged(log =>
    log.warn({ client: evil, details: { clientId: evil, [evil]: 1 }, err: new WireError(evil) }, evil),
  )
  assert.equal(lines.length, 1)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is about
  assert.doesNotMatch(lines[0]!.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066]/)
  assert.equal(objects[0]?.client, evil)
  assert.equal(objects[0]?.message, evil)
})

test('an error of ours is told by code and evidence with its causes, a mistake with its stack', () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const { objects } = logged(log => {
    log.error(
      {
        err: new UpstreamError('VKITM_UPSTREAM_UNREACHABLE', 'no broker', {
          cause,
          retriable: true,
          details: { nodeId: 3 },
        }),
      },
      'x',
    )
    log.error({ err: new TypeError('x is not a function') }, 'x')
    log.error({ err: 'thrown text' }, 'x')
  })
  assert.deepEqual(objects[0]?.err, {
    code: 'VKITM_UPSTREAM_UNREACHABLE',
    message: 'no broker',
    details: { nodeId: 3 },
    cause: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' },
  })
  assert.match(JSON.stringify(objects[1]?.err), /"stack":"TypeError: x is not a function\\n\s+at /)
  assert.deepEqual(objects[2]?.err, { message: 'thrown text' })
})

test('causes that go round in a circle end', () => {
  const first = new Error('first')
  first.cause = new Error('second', { cause: first })
  const { objects } = logged(log => log.error({ err: first }, 'x'))
  assert.equal(JSON.stringify(objects[0]).match(/"message":"first"/g)?.length, 3)
})

test('secrets stay out: as objects, under telling names at any depth, in causes; bytes are counted', () => {
  const inner = new WireError('inner', { details: { password: 'canary', at: { accessToken: 'canary' } } })
  const { lines, objects } = logged(log =>
    log.info(
      {
        details: {
          s: new Secret('canary'),
          list: [{ clientSecret: 'canary' }],
          key: 'canary',
          payload: Buffer.from('canary'),
          n: 3n,
          monkey: 'fine',
        },
        err: new WireError('outer', { cause: inner }),
      },
      'x',
    ),
  )
  assert.doesNotMatch(lines.join(), /canary/)
  assert.deepEqual(objects[0]?.details, {
    s: '[redacted]',
    list: [{ clientSecret: '[redacted]' }],
    key: '[redacted]',
    payload: '[6 bytes]',
    n: '3',
    monkey: 'fine',
  })
})

test('lines below the level are not written, and the level can be changed while running', () => {
  const { objects } = logged(log => {
    log.debug({}, 'hidden')
    assert.equal(log.isLevelEnabled('debug'), false)
    log.setLevel('debug')
    log.debug({}, 'seen')
  }, 'info')
  assert.deepEqual(
    objects.map(({ message }) => message),
    ['seen'],
  )
})
