/** Who has connections to the router: /proc/net/tcp{,6} tell the user and the inode of every socket. See proc(5). */
import { readFileSync } from 'node:fs'
import { socketInodes } from './listening.ts'
import { outsider, type FoundCallers } from './router/index.ts'
import type { AgentSettings } from './settings.ts'

export interface CallerFinderOptions {
  routerPort: number
  /** `team/app` of a user id, where every app has its own. */
  appOfUser: ((uid: number) => string | undefined) | undefined
  /** Processes by `team/app`; asked for only where all apps share one user. */
  processes: () => Iterable<[app: string, pids: number[]]>
  settings: Pick<AgentSettings, 'callerLookPauseMs' | 'callerLookPauseMaxMs' | 'callerLookShare' | 'callerLookSockets'>
  /** CPU time of this process so far, in milliseconds. */
  cpuMs: () => number
  readTable?: (file: string) => string
}

export interface CallerFinder {
  /** Looks at the sockets of the machine; those with these ports are looked for. */
  find: (ports: number[]) => FoundCallers
  /** How often it was looked, and how long that took in all. */
  readonly cost: { looks: number; seconds: number }
}

/** Where the kernel tells nothing, nothing is asked for. */
const neverMs = 24 * 3600_000

export function createCallerFinder({ routerPort, appOfUser, processes, settings, cpuMs, readTable = read }: CallerFinderOptions): CallerFinder {
  const cost = { looks: 0, seconds: 0 }
  let idlePauseMs = settings.callerLookPauseMs
  const ownersOf = (sockets: ClientSocket[]): (string | undefined)[] =>
    appOfUser ? sockets.map(({ uid }) => appOfUser(uid)) : ownersByFiles(sockets, processes(), settings.callerLookSockets)

  const find = (ports: number[]): FoundCallers => {
    const begun = cpuMs()
    const sockets = socketsOf(ports, routerPort, readTable)
    if (sockets === undefined) return { callers: {}, pauseMs: neverMs }
    const kept = sockets.slice(0, settings.callerLookSockets)
    const owners = ownersOf(kept)
    const spentMs = cpuMs() - begun
    cost.looks++
    cost.seconds += spentMs / 1000
    // Where no app calls, as behind another proxy of this machine, it is looked ever less often.
    idlePauseMs = owners.some((owner) => owner !== undefined) ? settings.callerLookPauseMs : Math.min(settings.callerLookPauseMaxMs, idlePauseMs * 2)
    return { callers: byPort(kept, owners), pauseMs: Math.max(idlePauseMs, Math.min(settings.callerLookPauseMaxMs, spentMs / settings.callerLookShare)) }
  }
  return { find, cost }
}

/** Of two ends with one port nobody knows which is meant. */
function byPort(sockets: ClientSocket[], owners: (string | undefined)[]): Record<number, string> {
  const callers = new Map<number, string | undefined>()
  sockets.forEach(({ port }, index) => {
    const owner = owners[index] ?? outsider
    callers.set(port, callers.has(port) && callers.get(port) !== owner ? undefined : owner)
  })
  return Object.fromEntries([...callers].filter((entry): entry is [number, string] => entry[1] !== undefined))
}

/** Those that are looked for come first. The second table is read when one of them is not in the first. Undefined where there is none. */
function socketsOf(ports: number[], routerPort: number, readTable: (file: string) => string): ClientSocket[] | undefined {
  const wanted = new Set(ports)
  const first = (sockets: ClientSocket[]): ClientSocket[] => [...sockets.filter(({ port }) => wanted.has(port)), ...sockets.filter(({ port }) => !wanted.has(port))]
  try {
    const plain = clientSockets(readTable('/proc/net/tcp'), routerPort)
    const found = new Set(plain.map(({ port }) => port))
    return first(ports.every((port) => found.has(port)) ? plain : [...plain, ...clientSockets(readTable('/proc/net/tcp6'), routerPort)])
  } catch {
    return undefined
  }
}

function read(file: string): string {
  return readFileSync(file, 'latin1')
}

export interface ClientSocket {
  port: number
  uid: number
  inode: string
}

/** Sockets of a table that are this machine's ends of connections to the router. One that has been closed has no owner and is none. */
export function clientSockets(table: string, routerPort: number): ClientSocket[] {
  const target = routerPort.toString(16).toUpperCase().padStart(4, '0')
  const found: ClientSocket[] = []
  // Most lines are somebody else's, so only the columns that tell are looked at: `sl: address:port address:port state …`.
  for (let start = table.indexOf('\n') + 1; start > 0 && start < table.length; start = table.indexOf('\n', start) + 1) {
    const local = table.indexOf(':', start) + 2
    const width = table.indexOf(':', local) - local
    const remote = local + width + 6
    const rest = remote + width + 5
    if (table.slice(remote + width + 1, rest) !== target || !isHere(table.slice(local, local + width), table.slice(remote, remote + width))) continue
    const end = table.indexOf('\n', rest)
    const [, , , , uid = '', , inode = '0'] = table.slice(rest + 1, end === -1 ? undefined : end).split(/ +/)
    if (inode !== '0') found.push({ port: Number.parseInt(table.slice(local + width + 1, local + width + 5), 16), uid: Number(uid), inode })
  }
  return found
}

const loopback6 = '00000000000000000000000001000000'

/** Whether the far end is this machine: loopback, on its own or within IPv6, or the same address. Bytes of a word are in the order of the machine. */
function isHere(local: string, remote: string): boolean {
  return remote === local || remote.endsWith('7F') && (remote.length === 8 || remote.startsWith('0000000000000000FFFF0000')) || remote === loopback6
}

/** The app of which a process has each socket open; at most so many sockets are looked at. */
function ownersByFiles(sockets: ClientSocket[], processes: Iterable<[app: string, pids: number[]]>, mostSockets: number): (string | undefined)[] {
  const missing = new Set(sockets.map(({ inode }) => inode))
  const owners = new Map<string, string>()
  let left = mostSockets
  for (const [app, pids] of missing.size > 0 ? processes : []) {
    for (const pid of pids) {
      const inodes = missing.size > 0 && left > 0 ? socketInodes(pid, left) : []
      left -= inodes.length
      for (const inode of inodes) if (missing.delete(inode)) owners.set(inode, app)
    }
    if (missing.size === 0 || left <= 0) break
  }
  return sockets.map(({ inode }) => owners.get(inode))
}
