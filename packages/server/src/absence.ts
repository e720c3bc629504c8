/** A server that a game day took away stays away for as long as it was told to, however soon it is started again. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Nobody keeps a control plane away for longer, whatever the file says. */
const longestAbsenceMs = 3600_000

const fileOf = (home: string): string => join(home, 'server-absence.json')

/** Ends this process as a crash would, after noting until when it stays away. */
export async function leaveUntil(home: string, until: Date): Promise<void> {
  const unfinished = `${fileOf(home)}.new`
  await writeFile(unfinished, JSON.stringify({ until: until.toISOString() }), { mode: 0o600 })
  await rename(unfinished, fileOf(home))
  process.kill(process.pid, 'SIGKILL')
}

/** Resolves when the absence is over; at once when there is none. */
export async function sitOutAbsence(home: string, now: Date): Promise<void> {
  const text = await readFile(fileOf(home), 'utf8').catch(() => '')
  const leftMs = untilOf(text) - now.getTime()
  if (leftMs > 0 && leftMs <= longestAbsenceMs) await new Promise((resolve) => setTimeout(resolve, leftMs))
  await rm(fileOf(home), { force: true })
}

/** What cannot be read is no reason to stay away. */
function untilOf(text: string): number {
  try {
    return Date.parse((JSON.parse(text) as { until: string }).until) || 0
  } catch {
    return 0
  }
}
