import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clientSockets, createCallerFinder } from './callers.ts'
import { outsider } from './router/index.ts'

const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const hexOf = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0')
const loopback = '0100007F'
const mapped = `0000000000000000FFFF0000${loopback}`

function line(index: number, local: [string, number], remote: [string, number], uid: number, inode: string): string {
  const [from, to] = [local, remote].map(([address, port]) => `${address}:${hexOf(port)}`)
  return `${String(index).padStart(4)}: ${from} ${to} 01 00000000:00000000 00:00000000 00000000 ${String(uid).padStart(5)} ${String(0).padStart(8)} ${inode} 1 0000000000000000 20 4 30 10 -1\n`
}

const port = fc.integer({ min: 1024, max: 65_535 })

test('the sockets of peers are found among any others, by address and both ports', () => {
  const socket = fc.record({ port, toRouter: fc.boolean(), address: fc.constantFrom(loopback, mapped, '0100000A'), open: fc.boolean(), uid: fc.nat(300_000) })
  fc.assert(fc.property(fc.uniqueArray(socket, { selector: (one) => one.port }), fc.array(port), (sockets, strangers) => {
    const text = header + sockets.map((one, index) => line(index + 9_998, [one.address, one.port], [one.address, one.toRouter ? 8080 : 8081], one.uid, one.open ? String(index + 1) : '0')).join('')
    const peers = [...sockets.map((one, id) => ({ id, address: '127.0.0.1', port: one.port })), ...strangers.filter((one) => !sockets.some((each) => each.port === one)).map((one) => ({ id: -1, address: '127.0.0.1', port: one }))]
    const expected = sockets.flatMap((one, id) => (one.toRouter && one.open && one.address !== '0100000A' ? [{ peer: id, uid: one.uid, inode: String(id + 1) }] : []))
    expect(clientSockets(text, 8080, peers)).toEqual(expected)
  }))
})

test('the user tells the app, a long look is followed by a long pause, and a system without tables is not asked again', () => {
  let time = 0
  const options = {
    routerPort: 8080, appOfUser: (uid: number) => (uid === 200_001 ? 'blue/shop' : undefined), processes: () => [], now: () => (time += 100),
    settings: { callerLookupPauseMs: 50, callerLookupShare: 0.05, callerLookupSockets: 10 },
  }
  const readTable = (file: string): string => header + (file.endsWith('6') ? '' : line(0, [loopback, 4000], [loopback, 8080], 200_001, '7') + line(1, [loopback, 4001], [loopback, 8080], 0, '8'))
  const peers = [4000, 4001, 4002].map((each, id) => ({ id, address: '127.0.0.1', port: each }))
  expect(createCallerFinder({ ...options, readTable }).find(peers)).toEqual({ callers: { 0: 'blue/shop', 1: outsider }, pauseMs: 2000 })
  const none = (): string => {
    throw new Error('no such file')
  }
  expect(createCallerFinder({ ...options, readTable: none }).find(peers).pauseMs).toBeGreaterThan(3600_000)
})
