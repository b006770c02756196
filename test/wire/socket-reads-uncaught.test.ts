/** Alone in its file: what is shown here holds for the rest of the process. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { AnswerSlabs } from '../../src/upstream/answer-slabs.ts'
import { ReceiveBuffers, slabBytesMax } from '../../src/wire/receive-buffers.ts'
import { SocketReads } from '../../src/wire/socket-reads.ts'
import { until, within } from '../support/until.ts'

test('after an exception that nobody caught nothing is handed over any more: it could be anybody’s', async () => {
  const buffers = new ReceiveBuffers()
  buffers.giveBack(Buffer.alloc(slabBytesMax, 'other'))
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const near = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1' })
  await once(near, 'connect')
  const [far] = await accepted
  far.on('error', () => undefined)
  const received: Buffer[] = []
  let missingBytes = 0
  const slabs = new AnswerSlabs(buffers, () => missingBytes)
  const reads = SocketReads.of(near, buffers, slabs, chunk => {
    received.push(chunk)
    missingBytes = slabBytesMax
    // As a defect anywhere in what an answer brings about would.
    if (received.length === 1) process.nextTick(() => assert.fail('a defect'))
  })
  assert.ok(reads)
  const survived = new Promise<void>(resolve => process.prependOnceListener('uncaughtException', () => resolve()))
  const runners = process.listeners('uncaughtException').slice(1)
  for (const runner of runners) process.off('uncaughtException', runner)
  far.write('first')
  await within('it is survived', survived)
  for (const runner of runners) process.on('uncaughtException', runner)
  let said: Error | undefined
  near.once('error', error => {
    said = error
  })
  far.write(Buffer.alloc(slabBytesMax, 'mine'))
  await until('it is closed', () => near.destroyed)
  assert.equal(Buffer.concat(received).toString(), 'first')
  await until('it says why', () => said !== undefined)
  assert.match(String(said), /has to start again/)
  far.destroy()
  server.close()
})
