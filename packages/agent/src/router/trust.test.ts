import { expect, test } from 'vitest'
import { trustOf } from './trust.ts'

test('nobody is trusted unless named', () => {
  expect(['127.0.0.1', '::1', '10.0.0.1', 'unknown'].some(trustOf([]))).toBe(false)
})

test.each([
  ['10.0.0.0/8', ['10.0.0.1', '10.255.255.255'], ['11.0.0.1', '::1', 'unknown', '']],
  ['192.0.2.7', ['192.0.2.7'], ['192.0.2.8']],
  ['fd00::/8', ['fd12::1'], ['fe80::1', '10.0.0.1']],
  ['0.0.0.0/0', ['203.0.113.9'], ['unknown']],
])('%s', (network, inside, outside) => {
  const trusts = trustOf(['198.51.100.0/24', network])
  expect(inside.filter((address) => !trusts(address))).toEqual([])
  expect(outside.filter(trusts)).toEqual([])
})

test.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'proxy.test', 'fd00::/129', '', '10.0.0.0/-1', '10.0.0.0/1.5'])('"%s" is refused', (network) => {
  expect(() => trustOf([network])).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})
