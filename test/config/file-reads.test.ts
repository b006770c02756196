import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unreadable } from '../../src/config/file-reads.ts'

test('why a file cannot be read is told in one line with what to do', () => {
  const told = (code: string) => unreadable('/certs/a.key', Object.assign(new Error('x'), { code }), '/etc/vkitm')
  assert.equal(told('EACCES'), 'cannot read /certs/a.key: permission denied; let the user that runs vkitm read it')
  assert.equal(told('ENOENT'), 'cannot read /certs/a.key: there is no such file; relative paths start at /etc/vkitm')
  assert.equal(told('EISDIR'), 'cannot read /certs/a.key: it is a directory; name the file in it')
  assert.equal(told('EIO'), 'cannot read /certs/a.key: EIO')
})
