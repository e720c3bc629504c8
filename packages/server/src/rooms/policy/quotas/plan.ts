/** What a team uses, and whether that is more than it may. Pure. */
import type { AppSpec, AppStatus, ProcessSpec, QuotaSpec, QuotaUse, Resource } from '@pavior/contract'

/** What the platform gives a process that says nothing of it; as room release has it. */
const defaultMemory = '512Mi'
const defaultCpu = 1
const releaseProcess = 'release'

export type App = Resource<AppSpec, AppStatus>

/** An app in an environment, with the processes of the release that serves there or is on its way there. */
export interface Placed {
  app: App
  environment: string
  processes: Record<string, ProcessSpec>
}

export type Running = Pick<QuotaUse, 'instances' | 'cpu' | 'memoryMib'>

export function runningOf(placed: Placed[]): Running {
  const sum: Running = { instances: 0, cpu: 0, memoryMib: 0 }
  for (const { app, environment, processes } of placed) {
    for (const [name, found] of Object.entries({ ...processes, ...app.spec.processes })) {
      if (name === releaseProcess) continue
      const process = { ...processes[name], ...found }
      const replicas = app.spec.scale?.[environment]?.[name] ?? process.replicas ?? 1
      sum.instances += replicas
      sum.cpu += replicas * (process.cpu ?? defaultCpu)
      sum.memoryMib += Math.ceil((replicas * bytesOf(process.memory ?? defaultMemory)) / 1024 ** 2)
    }
  }
  return { ...sum, cpu: Math.round(sum.cpu * 1000) / 1000 }
}

const units: Record<string, number> = { '': 1, K: 1e3, M: 1e6, G: 1e9, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 }

function bytesOf(text: string): number {
  const [, number = '0', unit = ''] = /^([0-9.]+)([A-Za-z]*)$/.exec(text) ?? []
  return Number(number) * (units[unit] ?? 1)
}

export interface Overrun {
  name: keyof QuotaSpec
  used: number
  limit: number
}

/** What is over its limit and grew with the change: whoever is over already may still use less. */
export function overrunsOf(limits: QuotaSpec, before: Partial<QuotaUse>, after: Partial<QuotaUse>): Overrun[] {
  return Object.entries(limits).flatMap(([key, limit]) => {
    const name = key as keyof QuotaSpec
    const used = after[name]
    if (used === undefined || limit === undefined || used <= limit || used <= (before[name] ?? 0)) return []
    return [{ name, used, limit }]
  })
}

const words: Record<keyof QuotaSpec, string> = {
  apps: 'apps',
  environments: 'environments',
  instances: 'instances',
  cpu: 'CPU cores',
  memoryMib: 'MiB of memory',
  buildsPerDay: 'builds a day',
}

export function overrunText(team: string, { name, used, limit }: Overrun): string {
  return `Team ${team} would use ${used} of its ${limit} ${words[name]}.`
}
