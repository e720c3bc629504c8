/** Which addresses a process tree listens on, from /proc/net/tcp and the processes' open files. See proc(5). */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'

export interface ListeningAddress {
  address: string
  port: number
}

const listenState = '0A'

/** Addresses that one of these processes listens on, each once. */
export function listeningAddresses(pids: number[]): ListeningAddress[] {
  const inodes = new Set(pids.flatMap((pid) => socketInodes(pid)))
  const found = new Map<string, ListeningAddress>()
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const each of parseSocketTable(readTable(file))) {
      if (inodes.has(each.inode)) found.set(`${each.address} ${each.port}`, { address: each.address, port: each.port })
    }
  }
  return [...found.values()].sort((one, other) => one.port - other.port)
}

function readTable(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}

/** Inodes of the sockets that a process has open, the newest first; none of a process that is gone or closed to us. */
export function socketInodes(pid: number, most = Infinity): string[] {
  try {
    const directory = `/proc/${pid}/fd`
    return readdirSync(directory).toReversed().slice(0, most).flatMap((name) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${directory}/${name}`))?.[1] ?? []
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}

/** Listening entries of a table of /proc/net. */
export function parseSocketTable(text: string): (ListeningAddress & { inode: string })[] {
  return text.split('\n').slice(1).flatMap((line) => {
    const fields = line.trim().split(/\s+/)
    const [address, port] = (fields[1] ?? '').split(':')
    if (fields[3] !== listenState || !address || !port) return []
    return [{ address: formatAddress(address), port: Number.parseInt(port, 16), inode: fields[9] ?? '' }]
  })
}

/** The kernel prints each 32-bit word in the byte order of the machine, which is little-endian where Node runs. */
function formatAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex')
  bytes.swap32()
  if (bytes.length === 4) return [...bytes].join('.')
  if (bytes.every((byte) => byte === 0)) return '::'
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return groups.join(':').replace(/^(0:){7}/, '::').replace(/(^|:)0(:0)+(:|$)/, '::')
}
