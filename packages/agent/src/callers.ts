/** Finds the app behind a connection to the router: /proc/net/tcp{,6} tell the user and the inode of its socket. See proc(5). */
import { readFileSync } from 'node:fs'
import { socketInodes } from './listening.ts'
import { outsider, type FoundCallers, type Peer } from './router/index.ts'
import type { AgentSettings } from './settings.ts'

export interface CallerFinderOptions {
  routerPort: number
  /** `team/app` of a user id, where every app has its own. */
  appOfUser: ((uid: number) => string | undefined) | undefined
  /** Processes by `team/app`; asked for only where all apps share one user. */
  processes: () => Iterable<[app: string, pids: number[]]>
  settings: Pick<AgentSettings, 'callerLookupPauseMs' | 'callerLookupShare' | 'callerLookupSockets'>
  /** Milliseconds on a clock that never goes back. */
  now: () => number
  readTable?: (file: string) => string
}

/** Longest pause, so that a machine with a great many sockets is still looked at. */
const longestPauseMs = 60_000
/** Where the kernel tells nothing, nothing is asked for. */
const neverMs = 24 * 3600_000

export interface CallerFinder {
  find: (peers: Peer[]) => FoundCallers
  /** How often it was looked, and how long that took in all. */
  readonly cost: { looks: number; seconds: number }
}

export function createCallerFinder({ routerPort, appOfUser, processes, settings, now, readTable = read }: CallerFinderOptions): CallerFinder {
  const cost = { looks: 0, seconds: 0 }
  const find = (peers: Peer[]): FoundCallers => {
    const begun = now()
    const tables = tablesFor(peers, readTable)
    if (tables === undefined) return { callers: {}, pauseMs: neverMs }
    const sockets = tables.flatMap((text) => clientSockets(text, routerPort, peers))
    const owner = appOfUser ? ({ uid }: ClientSocket) => appOfUser(uid) : ownersBySockets(sockets, processes(), settings.callerLookupSockets)
    const callers = Object.fromEntries(sockets.map((socket) => [socket.peer, owner(socket) ?? outsider]))
    // What it costs stays a small share of the time, however many sockets there are.
    const tookMs = now() - begun
    cost.looks++
    cost.seconds += tookMs / 1000
    return { callers, pauseMs: Math.min(longestPauseMs, Math.max(settings.callerLookupPauseMs, tookMs / settings.callerLookupShare)) }
  }
  return { find, cost }
}

/** The second table is read only when somebody may stand in it. Undefined where there is none. */
function tablesFor(peers: Peer[], readTable: (file: string) => string): string[] | undefined {
  try {
    const plain = peers.some(({ address }) => !address.includes(':')) ? [readTable('/proc/net/tcp')] : []
    return [...plain, readTable('/proc/net/tcp6')]
  } catch {
    return undefined
  }
}

function read(file: string): string {
  return readFileSync(file, 'latin1')
}

export interface ClientSocket {
  /** Id of the peer that it is. */
  peer: number
  uid: number
  inode: string
}

/** Sockets of a table that are these peers' ends of connections to the router. One that has been closed has no owner and is none. */
export function clientSockets(table: string, routerPort: number, peers: Peer[]): ClientSocket[] {
  const wanted = new Map(peers.map((peer) => [hexOfPort(peer.port), peer]))
  const target = hexOfPort(routerPort)
  const found: ClientSocket[] = []
  // Most lines are somebody else's, so only the columns that tell are looked at: `sl: address:port address:port …`.
  for (let start = table.indexOf('\n') + 1; start > 0 && start < table.length; start = table.indexOf('\n', start) + 1) {
    const local = table.indexOf(':', start) + 2
    const port = table.indexOf(':', local) + 1
    const width = port - 1 - local
    const peer = wanted.get(table.slice(port, port + 4))
    if (!peer || table.slice(port + 6 + width, port + 10 + width) !== target) continue
    if (!isSameAddress(table.slice(local, local + width), peer.address)) continue
    const end = table.indexOf('\n', port)
    const [, , , uid = '', , inode = '0'] = table.slice(port + 11 + width, end === -1 ? undefined : end).split(/ +/).slice(1)
    if (inode !== '0') found.push({ peer: peer.id, uid: Number(uid), inode })
  }
  return found
}

function hexOfPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0')
}

/** IPv4 on its own or within IPv6, the bytes of a word in the order of the machine. Of two IPv6 addresses the ports tell enough. */
function isSameAddress(hex: string, address: string): boolean {
  if (address.includes(':')) return hex.length === 32
  const bytes = address.split('.').map((byte) => Number(byte).toString(16).toUpperCase().padStart(2, '0'))
  return hex.endsWith(bytes.reverse().join('')) && (hex.length === 8 || hex.startsWith('0000000000000000FFFF0000'))
}

/** The app of which a process has the socket open; at most so many sockets are looked at. */
function ownersBySockets(sockets: ClientSocket[], processes: Iterable<[app: string, pids: number[]]>, mostSockets: number): (socket: ClientSocket) => string | undefined {
  const missing = new Set(sockets.map(({ inode }) => inode))
  const owners = new Map<string, string>()
  let left = mostSockets
  if (missing.size > 0) {
    for (const [app, pids] of processes) {
      for (const pid of pids) {
        const inodes = socketInodes(pid, left)
        left -= inodes.length
        for (const inode of inodes) if (missing.delete(inode)) owners.set(inode, app)
        if (missing.size === 0 || left <= 0) return ({ inode }) => owners.get(inode)
      }
    }
  }
  return ({ inode }) => owners.get(inode)
}
