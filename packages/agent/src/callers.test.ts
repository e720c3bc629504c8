import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clientSockets, createCallerFinder } from './callers.ts'
import { outsider } from './router/index.ts'

const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const hexOf = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0')
const loopback = '0100007F'
const mapped = `0000000000000000FFFF0000${loopback}`
const own = '0500000A'

function line(index: number, local: [string, number], remote: [string, number], uid: number, inode: string): string {
  const [from, to] = [local, remote].map(([address, port]) => `${address}:${hexOf(port)}`)
  return `${String(index).padStart(4)}: ${from} ${to} 01 00000000:00000000 00:00000000 00000000 ${String(uid).padStart(5)} ${String(0).padStart(8)} ${inode} 1 0000000000000000 20 4 30 10 -1\n`
}

test('the ends of connections to the router are found among any others', () => {
  const ends = fc.constantFrom<[string, string, boolean]>([loopback, loopback, true], [mapped, mapped, true], [own, own, true], [own, '0900000A', false], ['0'.repeat(32), `${'0'.repeat(24)}09000000`, false])
  const socket = fc.record({ port: fc.integer({ min: 1024, max: 65_535 }), toRouter: fc.boolean(), ends, open: fc.boolean(), uid: fc.nat(300_000) })
  fc.assert(fc.property(fc.array(socket), (sockets) => {
    const text = header + sockets.map(({ port, toRouter, ends: [local, remote], open, uid }, index) => line(index + 9_998, [local, port], [remote, toRouter ? 8080 : 8081], uid, open ? String(index + 1) : '0')).join('')
    const expected = sockets.flatMap(({ port, toRouter, ends: [, , here], open, uid }, index) => (toRouter && here && open ? [{ port, uid, inode: String(index + 1) }] : []))
    expect(clientSockets(text, 8080)).toEqual(expected)
  }))
})

const settings = { callerLookPauseMs: 50, callerLookPauseMaxMs: 10_000, callerLookShare: 0.05, callerLookSockets: 10 }
const base = { routerPort: 8080, appOfUser: (uid: number) => (uid === 200_001 ? 'blue/shop' : undefined), processes: () => [], cpuMs: () => 0, settings }
const tables = (...lines: string[]) => (file: string): string => header + (file.endsWith('6') ? '' : lines.join(''))

test('the user tells the app, and a look that cost much is followed by a long pause', () => {
  let spent = 0
  const readTable = tables(line(0, [loopback, 4000], [loopback, 8080], 200_001, '7'), line(1, [loopback, 4001], [loopback, 8080], 0, '8'))
  const { find, cost } = createCallerFinder({ ...base, cpuMs: () => (spent += 100), readTable })
  expect(find([4000, 4001, 4002])).toEqual({ callers: { 4000: 'blue/shop', 4001: outsider }, pauseMs: 2000 })
  expect(cost).toEqual({ looks: 1, seconds: 0.1 })
})

test('where no app calls it is looked ever less often, until one does', () => {
  let lines = [line(0, [loopback, 4001], [loopback, 8080], 0, '8')]
  const { find } = createCallerFinder({ ...base, readTable: (file) => tables(...lines)(file) })
  expect([1, 2, 3].map(() => find([4001]).pauseMs)).toEqual([100, 200, 400])
  for (let i = 0; i < 10; i++) find([4001])
  expect(find([4001]).pauseMs).toBe(10_000)
  lines = [line(0, [loopback, 4000], [loopback, 8080], 200_001, '7')]
  expect(find([4000]).pauseMs).toBe(50)
})

test('two ends with one port are nobody, and a system without tables is not asked again', () => {
  const readTable = tables(line(0, [loopback, 4000], [loopback, 8080], 200_001, '7'), line(1, [own, 4000], [own, 8080], 0, '8'))
  expect(createCallerFinder({ ...base, readTable }).find([4000]).callers).toEqual({})
  const none = (): string => {
    throw new Error('no such file')
  }
  expect(createCallerFinder({ ...base, readTable: none }).find([4000]).pauseMs).toBeGreaterThan(3600_000)
})
