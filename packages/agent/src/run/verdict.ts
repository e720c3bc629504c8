/** How a run ended, from what the shim recorded and what the kernel counted. Pure. */
import type { Exit } from '@pavior/contract'
import { signalName, type ShimRecord } from './shim.ts'

export interface Verdict {
  exit: Exit
  /** The command never ran: it was not found, may not be executed, or the sandbox refused. */
  neverRan?: 'not found' | 'not executable' | 'sandbox' | 'limits'
}

export interface Evidence {
  record: ShimRecord
  /** When it ended. */
  at: Date
  /** The agent was ending it. */
  stopping: boolean
  /** The agent killed it for its memory, where no cgroup does that. */
  overMemory: boolean
  /** Processes of its cgroup that the kernel killed for their memory. */
  outOfMemoryKills: number
}

export function judge(evidence: Evidence): Verdict {
  const { record, stopping } = evidence
  const exit: Exit = { ...(record.ended ?? { signal: signalName(9) }), at: evidence.at.toISOString() }
  if (wasOutOfMemory(evidence, exit)) exit.outOfMemory = true
  if (record.refused) return { exit, neverRan: 'limits' }
  if (record.missing) return { exit: { code: 127, at: exit.at }, neverRan: 'not found' }
  if (record.pid === undefined && !stopping) return { exit, neverRan: 'sandbox' }
  if (exit.code === 126) return { exit, neverRan: 'not executable' }
  if (exit.code === 127) return { exit, neverRan: 'not found' }
  return { exit }
}

/** The kernel kills one process of the tree; the command itself may then exit by itself because of it. */
function wasOutOfMemory({ overMemory, outOfMemoryKills, stopping }: Evidence, exit: Exit): boolean {
  if (overMemory) return true
  if (exit.code === 0 || outOfMemoryKills === 0) return false
  return !stopping || exit.signal === 'SIGKILL'
}
