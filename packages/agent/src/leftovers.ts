/** Ends what no record knows: an agent that dies between spawning a process and saving that leaves one behind. */
import { findTree, listProcesses, signalProcess } from './run/proc.ts'
import type { RunHost } from './run/host.ts'
import type { RunRecord } from './state/records.ts'

export function killLeftovers(host: RunHost, records: RunRecord[]): void {
  const known = new Set(records.map((record) => record.start?.group))
  for (const name of host.cgroup.list()) {
    if (known.has(name)) continue
    const group = host.cgroup.open(name)
    group.killAll()
    if (!group.remove()) host.log.warn({ group: name }, 'a cgroup that nobody knows of cannot be removed yet')
  }
  if (host.cgroup.tracks) return
  const unsure = records.filter(
    (record) => record.start === undefined || (record.kind === 'instance' && record.start.attempt !== record.restarts),
  )
  if (unsure.length === 0) return
  const processes = listProcesses()
  for (const record of unsure)
    findTree({ environment: `PAVIOR_INSTANCE=${record.id}` }, processes).forEach((pid) => signalProcess(pid, 'SIGKILL'))
}
