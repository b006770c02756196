import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { portOf, portsAddressBook } from '../../src/topology/address-book.ts'

const range = { first: 9100, count: 3, firstId: 1 }

describe('the addresses clients are told', () => {
  const book = portsAddressBook('kafka.example.com', range)
  for (const [nodeId, port] of [
    [0, undefined],
    [1, 9100],
    [2, 9101],
    [3, 9102],
    [4, undefined],
    [-1, undefined],
    [0x7fffffff, undefined],
    [-0x80000000, undefined],
    [1.5, undefined],
  ] as const) {
    test(`broker ${nodeId} is ${port === undefined ? 'nowhere' : `at port ${port}`}`, () => {
      assert.deepEqual(book.addressOf(nodeId), port === undefined ? undefined : { host: 'kafka.example.com', port })
    })
  }

  test('ports are arithmetic: the same for every gateway and after every restart', () => {
    for (let nodeId = -5; nodeId < 10; nodeId++) assert.equal(book.addressOf(nodeId)?.port, portOf(nodeId, range))
  })
})
