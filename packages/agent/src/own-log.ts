/** The agent's own log: a file that is set aside when it is long, while the agent goes on writing. */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'

/** Where the lines of the logger go. */
export interface OwnLog {
  write(text: string): void
}

/**
 * Appends to `path`; beyond `largestBytes` it becomes `<path>.1` in place of an earlier one, and a new file is begun. So at
 * most twice that much is kept. What cannot be written, for example to a full disk, is lost: the agent must go on.
 */
export function openOwnLog(path: string, largestBytes: number): OwnLog {
  let descriptor = openSync(path, 'a', 0o600)
  const rotateIfLong = (): void => {
    if (fstatSync(descriptor).size <= largestBytes) return
    renameSync(path, `${path}.1`)
    const next = openSync(path, 'a', 0o600)
    closeSync(descriptor)
    descriptor = next
  }
  return {
    write: (text) => {
      try {
        writeSync(descriptor, text)
        rotateIfLong()
      } catch {
        // There is nowhere to say so.
      }
    },
  }
}
