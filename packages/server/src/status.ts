/** `GET /v1/status`, once or as it moves: every process of the installation as this server knows it. */
import { readFile } from 'node:fs/promises'
import type { ObservedState } from '@pavior/contract'
import { figuresEveryMs, moreEvery, sendLatest } from './kernel/api/lines.ts'
import { flag, type Query } from './kernel/api/query.ts'
import type { Routes } from './kernel/api/types.ts'
import type { ExternalDatabase } from './kernel/db/index.ts'

export interface ProcessRow {
  role: 'server' | 'agent' | 'router' | 'postgresql'
  pid: number
  /** Port or socket, when it listens. */
  listens?: string
  uptimeSeconds: number
  /** Proportional set size where the kernel tells it, else resident. */
  memoryBytes: number
  version: string
}

export interface StatusDeps {
  agent: { observed(): ObservedState | undefined; problem(): string | undefined }
  version: string
  startedAt: Date
  port: () => number
  external: ExternalDatabase | undefined
  /** Of the embedded PostgreSQL as it runs now. */
  databasePid: () => Promise<number | undefined>
}

export function statusRoute({ agent, version, startedAt, port, external, databasePid }: StatusDeps): Routes {
  return (app) => {
    const read = async (): Promise<object> => {
      const observed = agent.observed()
      const rows: ProcessRow[] = [{ role: 'server', pid: process.pid, listens: `port ${port()}`, uptimeSeconds: (Date.now() - startedAt.getTime()) / 1000, memoryBytes: await memoryOf(process.pid), version }]
      for (const { role, pid, startedAt: since } of observed?.processes ?? []) {
        rows.push({ role, pid, listens: role === 'router' ? `port ${observed!.routerPort}` : 'unix socket', uptimeSeconds: (Date.now() - Date.parse(since)) / 1000, memoryBytes: await memoryOf(pid), version: observed!.version })
      }
      const postgresql = await databasePid()
      if (postgresql !== undefined) rows.push({ role: 'postgresql', pid: postgresql, listens: 'unix socket', uptimeSeconds: await uptimeOf(postgresql), memoryBytes: await treeMemory(postgresql), version: '18' })
      return { version, agent: agent.problem() ?? 'ok', database: external ? `PostgreSQL ${external.version} at ${external.address}` : 'embedded', routerPort: observed?.routerPort, host: observed?.host, instances: observed?.instances.length ?? 0, processes: rows }
    }
    app.get('/v1/status', async ({ query }, reply) => (flag(query as Query, 'follow') ? sendLatest(reply, read, moreEvery(figuresEveryMs)) : read()))
  }
}

async function memoryOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(text)?.[1]
  return kilobytes === undefined ? 0 : Number(kilobytes) * 1024
}

async function uptimeOf(pid: number): Promise<number> {
  const [stat, uptime] = await Promise.all([readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''), readFile('/proc/uptime', 'utf8').catch(() => '0')])
  const startTicks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19])
  return Number.isFinite(startTicks) ? Number(uptime.split(' ')[0]) - startTicks / 100 : 0
}

/** PostgreSQL is a process a connection. */
async function treeMemory(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const all = await Promise.all([pid, ...children.trim().split(' ').filter(Boolean).map(Number)].map(memoryOf))
  return all.reduce((sum, bytes) => sum + bytes, 0)
}
