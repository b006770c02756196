import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { type Admin, type AdminOptions, startAdmin } from '../../src/admin/admin.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { Secret } from '../../src/telemetry/secret.ts'

const started: Admin[] = []
after(() => Promise.all(started.map(admin => admin.close())))

const lines: string[] = []
const log = createLog({ destination: { write: line => void lines.push(line), dropped: 0, flushed: async () => {} } })

async function start(options: Partial<AdminOptions> = {}): Promise<string> {
  const admin = await startAdmin({
    bind: { host: '127.0.0.1', port: 0 },
    health: () => [],
    readiness: () => [],
    metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'vkitm_up 1\n' },
    log,
    ...options,
  })
  started.push(admin)
  return admin.address
}

interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: string
}

function ask(
  address: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<Answer> {
  const [host, port] = [address.slice(0, address.lastIndexOf(':')), address.slice(address.lastIndexOf(':') + 1)]
  return new Promise((resolve, reject) => {
    const call = request({ host: host.replace(/[[\]]/g, ''), port, method, path, headers }, async response => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })
    })
    call.on('error', reject)
    call.end(body)
  })
}

test('health is 200 while the process serves and says what is degraded', async () => {
  const reasons: string[] = []
  const address = await start({ health: () => reasons })
  const well = await ask(address, 'GET', '/healthz')
  assert.deepEqual([well.status, JSON.parse(well.body)], [200, { status: 'ok', reasons: [] }])
  reasons.push('policy.csv:3: unknown operation')
  const degraded = await ask(address, 'GET', '/healthz')
  assert.deepEqual([degraded.status, JSON.parse(degraded.body)], [200, { status: 'degraded', reasons }])
})

test('readiness is 503 with the line to change until nothing is missing', async () => {
  const reasons = ['broker 7 has no port: widen brokerPorts']
  const address = await start({ readiness: () => reasons })
  const waiting = await ask(address, 'GET', '/readyz?verbose')
  assert.deepEqual([waiting.status, JSON.parse(waiting.body)], [503, { ready: false, reasons }])
  reasons.pop()
  assert.equal((await ask(address, 'GET', '/readyz')).status, 200)
})

test('metrics come in the format of Prometheus, HEAD without a body', async () => {
  const address = await start()
  const { status, headers, body } = await ask(address, 'GET', '/metrics')
  assert.deepEqual([status, headers['content-type'], body], [200, 'text/plain; version=0.0.4', 'vkitm_up 1\n'])
  assert.equal(headers['cache-control'], 'no-store')
  const head = await ask(address, 'HEAD', '/metrics')
  assert.deepEqual([head.status, head.body], [200, ''])
})

test('what is not there is 404, the wrong method 405 with the right one', async () => {
  const address = await start({ actions: { '/reload': async () => {} } })
  for (const path of ['/', '/healthz/', '/__proto__', '/constructor', '/toString', '//metrics']) {
    assert.equal((await ask(address, 'GET', path)).status, 404, path)
    assert.equal((await ask(address, 'POST', path)).status, 404, path)
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const { status, headers } = await ask(address, method, '/metrics')
    assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'], method)
  }
  const { status, headers } = await ask(address, 'GET', '/reload')
  assert.deepEqual([status, headers.allow], [405, 'POST'])
})

test('with a token POST needs exactly that token, on loopback too', async () => {
  let reloads = 0
  const token = new Secret('canary-token')
  const address = await start({ token, actions: { '/reload': async () => void reloads++ } })
  for (const authorization of [
    '',
    'Bearer',
    'Bearer canary-toke',
    'Bearer canary-tokenn',
    'Basic canary-token',
    'canary-token',
  ]) {
    const { status, headers } = await ask(address, 'POST', '/reload', authorization === '' ? {} : { authorization })
    assert.deepEqual([status, headers['www-authenticate']], [401, 'Bearer'], authorization)
  }
  assert.equal(reloads, 0)
  assert.equal((await ask(address, 'POST', '/reload', { authorization: 'Bearer canary-token' })).status, 200)
  assert.equal(reloads, 1)
  assert.doesNotMatch(lines.join(), /canary/)
})

test('without a token POST is answered on loopback only', async () => {
  let reloads = 0
  const actions = { '/reload': async () => void reloads++ }
  assert.equal((await ask(await start({ actions }), 'POST', '/reload')).status, 200)
  const open = await start({ actions, bind: { host: '0.0.0.0', port: 0 } })
  const refused = await ask(open.replace('0.0.0.0', '127.0.0.1'), 'POST', '/reload')
  assert.deepEqual(
    [refused.status, JSON.parse(refused.body)],
    [403, { error: 'set admin.token, or bind admin to a loopback address' }],
  )
  assert.equal(reloads, 1)
})

test('a web page in a browser on this machine cannot POST, with or without the token', async () => {
  let reloads = 0
  const address = await start({ token: new Secret('t0ken'), actions: { '/reload': async () => void reloads++ } })
  for (const headers of [{ origin: 'http://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }]) {
    assert.equal((await ask(address, 'POST', '/reload', { ...headers, authorization: 'Bearer t0ken' })).status, 403)
  }
  assert.equal(reloads, 0)
})

test('an action that fails is 500 with its message, a page that breaks 500 without', async () => {
  const address = await start({
    actions: { '/reload': async () => Promise.reject(new Error('policy.csv: line 3')) },
    metrics: { contentType: 'text/plain', text: async () => Promise.reject(new Error('inner detail')) },
  })
  const failed = await ask(address, 'POST', '/reload', {}, 'a body that nobody reads')
  assert.deepEqual([failed.status, JSON.parse(failed.body)], [500, { error: 'policy.csv: line 3' }])
  const broken = await ask(address, 'GET', '/metrics')
  assert.equal(broken.status, 500)
  assert.doesNotMatch(broken.body, /inner detail/)
  assert.equal((await ask(address, 'GET', '/healthz')).status, 200)
})

test('headers without end and connections without a request are closed', { timeout: 15_000 }, async () => {
  const address = await start()
  const port = Number(address.split(':')[1])
  const large = await ask(address, 'GET', '/healthz', { x: 'y'.repeat(20_000) })
  assert.equal(large.status, 431)
  const slow = connect(port, '127.0.0.1')
  slow.resume()
  slow.on('error', () => {})
  slow.write('GET /healthz HTTP/1.1\r\n')
  await once(slow, 'close')
})

test('a port that is taken is an error of the start', async () => {
  const address = await start()
  await assert.rejects(start({ bind: { host: '127.0.0.1', port: Number(address.split(':')[1]) } }), {
    code: 'VKITM_BIND',
  })
})

test('closing ends open connections at once', async () => {
  const admin = await startAdmin({
    bind: { host: '127.0.0.1', port: 0 },
    health: () => [],
    readiness: () => [],
    metrics: { contentType: 'text/plain', text: () => new Promise(() => {}) },
    log,
  })
  const waiting = ask(admin.address, 'GET', '/metrics').then(
    () => 'answered',
    () => 'closed',
  )
  await new Promise(resolve => setTimeout(resolve, 50))
  await admin.close()
  assert.equal(await waiting, 'closed')
})
