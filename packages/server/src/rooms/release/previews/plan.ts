/** Previews, decided purely: their names, their end, what they used. */
import type { AppSpec, EnvironmentSpec, EnvironmentUse, InstanceStatus, PreviewSpec, PreviewStatus, Resource } from '@pavior/contract'

const slugLength = 14
const hashLength = 5
const defaults = { ttlHours: 72, sleepAfterMinutes: 15, limit: 20 }
const hourMs = 3600_000
const gib = 1024 ** 3

/**
 * Name of the environment of a branch: what a host name can show of the branch, and a hash of all of it, since names of branches
 * may be long, hold any characters, and differ in nothing that is shown.
 */
export function previewName(app: string, branch: string, hash: (text: string) => string): string {
  const slug = branch.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replace(/^[-0-9]+/, '').slice(0, slugLength).replace(/-+$/, '')
  return `${slug || 'branch'}-${hash(`${app}\n${branch}`).slice(0, hashLength)}`
}

/** What the App asks for, with what it leaves out; undefined when it asks for no previews. */
export function previewSettings({ previews }: AppSpec): { ttlHours: number; sleepAfterMinutes: number; limit: number; from?: string } | undefined {
  if (previews === undefined || previews.enabled === false) return undefined
  return { ...defaults, ...previews }
}

export function previewEnvironment(app: string, branch: string, { ttlHours, sleepAfterMinutes }: { ttlHours: number; sleepAfterMinutes: number }, keepUntil: string | undefined): EnvironmentSpec {
  return {
    tier: 'preview',
    description: `Shows the branch ${branch} of ${app}.`,
    ...(sleepAfterMinutes > 0 ? { sleepAfterMinutes } : {}),
    preview: { app, branch, ttlHours, ...(keepUntil === undefined ? {} : { keepUntil }) },
  }
}

/** Environment whose configuration a new preview begins with. */
export function clonedFrom(asked: string | undefined, environments: Pick<Resource<EnvironmentSpec>, 'metadata' | 'spec'>[], defaultEnvironment: string): string {
  return asked ?? environments.find(({ spec }) => spec.tier === 'production' && spec.after !== undefined)?.spec.after ?? defaultEnvironment
}

/** The App as a preview takes it: the manifest of its branch, the settings of people, one instance of everything. */
export function previewSpecOf(settings: AppSpec, declared: Partial<AppSpec>): AppSpec {
  const processes = Object.fromEntries(Object.entries(declared.processes ?? {}).map(([name, process]) => [name, { ...process, replicas: Math.min(1, process.replicas ?? 1) }]))
  return { ...settings, ...declared, ...(declared.processes === undefined ? {} : { processes }) }
}

export interface PreviewObserved {
  spec: PreviewSpec
  status: PreviewStatus
  createdAt: string
  /** Requests since the last activity that is known of. */
  requests: number
  /** End of the newest deployment, or its beginning while it goes on. */
  deployedAt: string | undefined
  /** What the router counted is known up to now. */
  countsKnown: boolean
}

export interface PreviewLife {
  activeAt: string
  expiresAt: string
  expired: boolean
}

/** Pushes, deployments and requests renew its time. */
export function planLife({ spec, status, createdAt, requests, deployedAt, countsKnown }: PreviewObserved, now: Date): PreviewLife {
  const times = [createdAt, status.pushedAt, status.activeAt, deployedAt, ...(requests > 0 ? [now.toISOString()] : [])].flatMap((time) => (time === undefined ? [] : [Date.parse(time)]))
  const activeMs = Math.min(now.getTime(), Math.max(...times))
  const expiresMs = Math.max(activeMs + spec.ttlHours * hourMs, Date.parse(spec.keepUntil ?? '') || 0)
  return { activeAt: new Date(activeMs).toISOString(), expiresAt: new Date(expiresMs).toISOString(), expired: countsKnown && expiresMs <= now.getTime() }
}

const noUse: EnvironmentUse = { cpuSeconds: 0, awakeSeconds: 0, asleepSeconds: 0, awakeGibSeconds: 0, asleepGibSeconds: 0 }
const fields = Object.keys(noUse) as (keyof EnvironmentUse)[]

function useOf({ cpuSeconds = 0, use }: Pick<InstanceStatus, 'cpuSeconds' | 'use'>): EnvironmentUse {
  const { awakeSeconds = 0, asleepSeconds = 0, awakeByteSeconds = 0, asleepByteSeconds = 0 } = use ?? {}
  return { cpuSeconds, awakeSeconds, asleepSeconds, awakeGibSeconds: awakeByteSeconds / gib, asleepGibSeconds: asleepByteSeconds / gib }
}

/** Adds what instances used since they were last counted; what instances used that are gone stays in the sum. */
export function countUse({ use = noUse, counted = {} }: PreviewStatus, instances: Pick<InstanceStatus, 'id' | 'cpuSeconds' | 'use'>[]): { use: EnvironmentUse; counted: Record<string, EnvironmentUse> } {
  const sum = { ...use }
  for (const instance of instances) {
    const now = useOf(instance)
    for (const field of fields) sum[field] += Math.max(0, now[field] - (counted[instance.id]?.[field] ?? 0))
  }
  const rounded = (one: EnvironmentUse): EnvironmentUse => Object.fromEntries(fields.map((field) => [field, Math.round(one[field] * 1000) / 1000])) as EnvironmentUse
  return { use: rounded(sum), counted: Object.fromEntries(instances.map((instance) => [instance.id, rounded(useOf(instance))])) }
}
