import assert from 'node:assert/strict'
import { BlockList, connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { AcceptLimits } from '../../src/downstream/accept-limits.ts'
import { type Arrival, Listener, type ListenerOptions } from '../../src/downstream/listener.ts'
import { VkitmError } from '../../src/errors.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { createRoot, issueServer } from '../../src/tls/certificate-authority.ts'
import { freePortRange, freePorts } from '../support/free-ports.ts'
import { memoryLog } from '../support/memory-log.ts'
import { until, within } from '../support/until.ts'

const now = new Date()
const root = createRoot({ subject: 'CN=root', now })
const identity = issueServer(root, { names: ['gateway.test'], now })
const tls = { key: identity.key, cert: identity.chain.join(''), handshakeTimeout: 1_000 }
const trusting = { ca: root.certificate, servername: 'gateway.test' }

function trusted(): BlockList {
  const list = new BlockList()
  list.addSubnet('127.0.0.1', 32, 'ipv4')
  return list
}

describe('Listener', () => {
  const toClose: (() => unknown)[] = []
  afterEach(async () => {
    for (const close of toClose.splice(0)) await close()
  })

  async function listen(options: Partial<ListenerOptions> = {}) {
    const [first] = [await freePortRange(3)]
    const limits =
      options.limits ??
      new AcceptLimits(
        { connections: 100, connectionsPerIp: 100, acceptPerSecond: 1e4, acceptPerSecondPerIp: 1e4 },
        () => performance.now(),
      )
    const metrics = new Metrics({ apiName: () => undefined, processMetrics: false })
    const log = memoryLog()
    const arrivals: Arrival[] = []
    const listener = new Listener({
      name: 'clients',
      host: '127.0.0.1',
      ports: [
        { port: first, nodeId: undefined },
        { port: first + 1, nodeId: 7 },
      ],
      headerTimeoutMs: 300,
      limits,
      metrics,
      log: log.log,
      strangers: log.log,
      onArrival: arrival => {
        arrival.socket.on('error', () => undefined)
        arrivals.push(arrival)
      },
      ...options,
    })
    const bound = await listener.listen()
    toClose.push(() => {
      for (const { socket } of arrivals) socket.destroy()
      return listener.close()
    })
    return { listener, bound, arrivals, metrics, limits, log }
  }

  function client(port: number, localAddress = '127.0.0.1'): Socket {
    const socket = connect({ host: '127.0.0.1', port, localAddress })
    socket.on('error', () => undefined)
    toClose.push(() => socket.destroy())
    return socket
  }

  const isOver = async (socket: Socket): Promise<void> => {
    socket.resume()
    if (!socket.closed) await within('the connection is closed', new Promise(resolve => socket.once('close', resolve)))
  }

  test('tells which broker a client chose by its port', async () => {
    const { bound, arrivals } = await listen()
    client(bound[0]!)
    await until('the first', () => arrivals.length === 1)
    client(bound[1]!)
    await until('the second', () => arrivals.length === 2)
    assert.deepEqual(
      arrivals.map(({ nodeId, ip }) => [nodeId, ip]),
      [
        [undefined, '127.0.0.1'],
        [7, '127.0.0.1'],
      ],
    )
  })

  test('a taken port is one clear error, and nothing stays bound', async () => {
    const [port] = await freePorts(1)
    const other = createServer()
    await new Promise<void>(resolve => other.listen(port, '127.0.0.1', resolve))
    toClose.push(() => other.close())
    const [free] = await freePorts(1)
    await assert.rejects(
      listen({
        ports: [
          { port: free!, nodeId: undefined },
          { port: port!, nodeId: 0 },
        ],
      }),
      (error: unknown) =>
        error instanceof VkitmError &&
        error.code === 'VKITM_BIND' &&
        error.message.includes(`127.0.0.1:${port}`) &&
        /another process/.test(error.message),
    )
    const again = createServer()
    await new Promise<void>((resolve, reject) => {
      again.once('error', reject)
      again.listen(free, '127.0.0.1', resolve)
    })
    again.close()
  })

  test('an address that this machine has not is named', async () => {
    await assert.rejects(listen({ host: '192.0.2.1' }), /192\.0\.2\.1.*no such address/)
  })

  test('counts who comes and who goes, and turns away who is one too many', async () => {
    const limits = new AcceptLimits(
      { connections: 2, connectionsPerIp: 2, acceptPerSecond: 1e4, acceptPerSecondPerIp: 1e4 },
      () => 0,
    )
    const { bound, arrivals, metrics, log } = await listen({ limits })
    const first = client(bound[0]!)
    client(bound[0]!)
    await until('two', () => arrivals.length === 2)
    await isOver(client(bound[0]!))
    assert.deepEqual(
      log.lines('connection turned away').map(({ details }) => details?.reason),
      ['connections'],
    )
    first.destroy()
    arrivals[0]!.socket.resume()
    await until('it is counted out', () => limits.openCount === 1)
    client(bound[0]!)
    await until('the third', () => arrivals.length === 3)
    assert.deepEqual([metrics.listener('clients').opened, metrics.listener('clients').open], [3, 2])
  })

  test('who comes too fast starts later, without a byte lost', async () => {
    const limits = new AcceptLimits(
      { connections: 9, connectionsPerIp: 9, acceptPerSecond: 4, acceptPerSecondPerIp: 4 },
      () => 0,
    )
    const { bound, arrivals } = await listen({ limits })
    for (let at = 0; at < 6; at++) client(bound[0]!).write(`hello ${at}`)
    await until('five at once', () => arrivals.length === 5)
    await until('the sixth later', () => arrivals.length === 6)
    const heard: string[] = []
    for (const { socket } of arrivals) socket.on('data', chunk => heard.push(chunk.toString()))
    await until('all', () => heard.length === 6)
  })

  test('one TLS server serves all ports, and knows whose handshake is whose', async () => {
    const { bound, arrivals } = await listen({ tls })
    const sockets = bound.flatMap(port =>
      Array.from({ length: 5 }, () => connectTls({ host: '127.0.0.1', port, ...trusting })),
    )
    for (const socket of sockets) {
      toClose.push(() => socket.destroy())
      socket.write(String(socket.remotePort ?? ''))
    }
    await until('all', () => arrivals.length === 10)
    assert.equal(arrivals.filter(({ nodeId }) => nodeId === 7).length, 5)
    for (const { socket, port } of arrivals) assert.equal(socket.remotePort, port)
  })

  for (const [what, bytes] of [
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    [
      'an SSLv2 hello',
      Buffer.from(
        '802e0100020015000000100100800200800300800400800500800600400700c0000000000000000000000000000000',
        'hex',
      ),
    ],
    ['random bytes', Buffer.from('3f9a7c11e0d452bb08f6a1c97e3355d0', 'hex')],
    ['a Kafka request', Buffer.from('00000012000300010000000000047465737400000000', 'hex')],
  ] as const) {
    test(`A-17: ${what} on the TLS port is one failed handshake and a closed connection`, async () => {
      const { bound, arrivals, log, limits } = await listen({ tls })
      const socket = client(bound[0]!)
      socket.write(bytes)
      await isOver(socket)
      await until('it is counted out', () => limits.openCount === 0)
      assert.equal(log.lines('TLS handshake failed').length, 1)
      assert.equal(arrivals.length, 0)
    })
  }

  test('A-04: a TLS handshake that is never finished ends at its deadline', async () => {
    const { bound, arrivals, limits } = await listen({ tls: { ...tls, handshakeTimeout: 200 } })
    const silent = client(bound[0]!)
    const begun = client(bound[0]!)
    begun.write(Buffer.from('1603010200', 'hex'))
    await isOver(silent)
    await isOver(begun)
    await until('they are counted out', () => limits.openCount === 0)
    assert.equal(arrivals.length, 0)
  })

  const proxied = 'PROXY TCP4 203.0.113.9 10.0.0.1 54321 9092\r\n'

  test('A-25: a header of a trusted proxy gives the client’s address, and what follows is the client’s', async () => {
    const { bound, arrivals } = await listen({ proxyTrusted: trusted() })
    const socket = client(bound[1]!)
    socket.write(`${proxied}hello`)
    await until('it arrives', () => arrivals.length === 1)
    const { ip, port, nodeId, socket: arrived } = arrivals[0]!
    assert.deepEqual([ip, port, nodeId], ['203.0.113.9', 54321, 7])
    const heard: string[] = []
    arrived.on('data', chunk => heard.push(chunk.toString()))
    await until('the first bytes', () => heard.join('') === 'hello')
    socket.write(' and more')
    await until('the rest', () => heard.join('') === 'hello and more')
  })

  test('A-25: a header that comes byte by byte is read, and limits count the client behind the proxy', async () => {
    const limits = new AcceptLimits(
      { connections: 9, connectionsPerIp: 1, acceptPerSecond: 1e4, acceptPerSecondPerIp: 1e4 },
      () => 0,
    )
    const { bound, arrivals, log } = await listen({ proxyTrusted: trusted(), limits })
    const socket = client(bound[0]!)
    for (const character of proxied) {
      socket.write(character)
      await delay(1)
    }
    await until('it arrives', () => arrivals.length === 1)
    client(bound[0]!).write(proxied.replace('203.0.113.9', '203.0.113.10'))
    await until('another client does, too', () => arrivals.length === 2)
    const second = client(bound[0]!)
    second.write(proxied)
    await isOver(second)
    assert.deepEqual(
      log.lines('connection turned away').map(({ details }) => details?.reason),
      ['connectionsPerIp'],
    )
  })

  test('A-25: a header in front of a TLS handshake, in one segment with it or not', async () => {
    const { bound, arrivals } = await listen({ tls, proxyTrusted: trusted() })
    for (const together of [true, false]) {
      const raw = client(bound[0]!)
      if (together) raw.cork()
      raw.write(proxied)
      if (!together) await delay(50)
      const secure: TLSSocket = connectTls({ socket: raw, ...trusting })
      if (together) setImmediate(() => raw.uncork())
      secure.write('hello')
      await until('it arrives', () => arrivals.length === (together ? 1 : 2))
      const heard: string[] = []
      const { socket, ip } = arrivals.at(-1)!
      socket.on('data', chunk => heard.push(chunk.toString()))
      await until('it is heard', () => heard.join('') === 'hello')
      assert.equal(ip, '203.0.113.9')
      secure.destroy()
    }
  })

  test('A-25: a peer that is not trusted is turned away, header or not', async () => {
    const { bound, arrivals, log } = await listen({ proxyTrusted: trusted() })
    const stranger = client(bound[0]!, '127.0.0.2')
    stranger.write(proxied)
    await isOver(stranger)
    assert.equal(arrivals.length, 0)
    assert.deepEqual(
      log.lines('connection turned away').map(({ details }) => details?.reason),
      ['not a trusted proxy'],
    )
  })

  test('A-25: a trusted proxy without a header, with a bad one or with none in time is turned away', async () => {
    const { bound, arrivals, log } = await listen({ proxyTrusted: trusted() })
    const bad = client(bound[0]!)
    bad.write('GET / HTTP/1.1\r\n')
    const silent = client(bound[0]!)
    await isOver(bad)
    await isOver(silent)
    assert.equal(arrivals.length, 0)
    const reasons = log.lines('connection turned away').map(({ details }) => details?.reason)
    assert.deepEqual(reasons.sort(), ['bad PROXY header', 'no PROXY header in time'])
  })

  test('A-25: a listener that expects no header takes one for what it is: no Kafka, no TLS', async () => {
    const { bound, arrivals } = await listen()
    client(bound[0]!).write(proxied)
    await until('it arrives', () => arrivals.length === 1)
    assert.equal(arrivals[0]!.ip, '127.0.0.1')
  })

  test('close ends those who have not arrived yet: in the handshake, before their header, before their turn', async () => {
    const limits = new AcceptLimits(
      { connections: 99, connectionsPerIp: 99, acceptPerSecond: 1, acceptPerSecondPerIp: 99 },
      () => 0,
    )
    const paced = await listen({ limits })
    const early = client(paced.bound[0]!)
    await until('one is in', () => paced.arrivals.length === 1)
    client(paced.bound[0]!)
    await until('two', () => paced.arrivals.length === 2)
    const later = client(paced.bound[0]!)
    const shaking = await listen({ tls })
    const hello = client(shaking.bound[0]!)
    const proxying = await listen({ proxyTrusted: trusted(), headerTimeoutMs: 60_000 })
    const headless = client(proxying.bound[0]!)
    await until('all are accepted', () => limits.openCount === 3 && shaking.limits.openCount === 1)
    await delay(50)
    for (const { listener } of [paced, shaking, proxying]) await listener.close()
    for (const socket of [later, hello, headless]) await isOver(socket)
    await until('they are counted out', () => limits.openCount === 2 && shaking.limits.openCount === 0)
    assert.equal(paced.arrivals.length, 2)
    assert.equal(early.destroyed, false)
  })
})
