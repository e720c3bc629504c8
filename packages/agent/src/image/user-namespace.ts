/** A user namespace in which root is nobody: image builds get all rights over a range of user ids and over nothing else. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, writeFileSync } from 'node:fs'

/** Opens a new user namespace that maps its ids 0 … `count` to `first` …; it lives as long as the descriptor. Needs root. */
export async function openUserNamespace(tools: { unshare: string; sh: string }, range: { first: number; count: number }): Promise<number> {
  const holder = spawn(tools.unshare, ['--user', '--', tools.sh, '-c', 'echo ready; read -r _'], { stdio: ['pipe', 'pipe', 'ignore'], env: {} })
  const ended = new Promise<never>((_, reject) => {
    holder.once('error', reject)
    holder.once('exit', (code) => reject(new Error(`a user namespace could not be made: unshare ended with ${code}`)))
  })
  ended.catch(() => {})
  try {
    await Promise.race([once(holder.stdout, 'data'), ended])
    for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${holder.pid}/${map}`, `0 ${range.first} ${range.count}\n`)
    return openSync(`/proc/${holder.pid}/ns/user`, 'r')
  } finally {
    holder.stdin.end()
  }
}
