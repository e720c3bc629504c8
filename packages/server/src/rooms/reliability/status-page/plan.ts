/** What a status page says, from what is published and measured. Pure: whatever is not named here does not get out. */
import type { IncidentEntry, SloSpec, SloStatus, StatusPageSpec, Resource } from '@pavior/contract'
import type { Incident } from '../incidents/types.ts'

type Slo = Resource<SloSpec, SloStatus>
type Component = StatusPageSpec['components'][number]

/** From best to worst. */
export const componentStates = ['Operational', 'Degraded', 'Partial outage', 'Major outage'] as const
export type ComponentState = (typeof componentStates)[number]

export interface DayShare {
  /** For example 2026-03-01. */
  day: string
  /** Share of good; undefined where nothing was counted. */
  good: number | undefined
}

export interface ShownIncident {
  /** Stays the same, and says nothing. */
  id: string
  title: string
  /** Empty when it is over. */
  state: string
  over: boolean
  /** When the public first heard of it. */
  at: string
  updates: { at: string; text: string; state: string }[]
}

export interface StatusView {
  title: string
  overall: ComponentState
  /** Without a state: it names an objective that there is none of. */
  components: { name: string; state: ComponentState | undefined; days: DayShare[]; good: number | undefined }[]
  /** Open ones first, then the newest. */
  incidents: ShownIncident[]
  at: string
}

export interface ViewContext {
  spec: StatusPageSpec
  incidents: readonly Incident[]
  /** What the public was told, by uid of the incident, the newest first. */
  published: ReadonlyMap<string, readonly IncidentEntry[]>
  slos: readonly Slo[]
  /** By uid of the objective and day since the epoch. */
  days: ReadonlyMap<string, ReadonlyMap<number, { good: number; total: number }>>
  now: Date
}

const dayMs = 24 * 3600_000
export const historyDays = 90
const usualEnvironment = 'production'
const outages: Record<string, ComponentState> = { sev1: 'Major outage', sev2: 'Partial outage', sev3: 'Degraded', sev4: 'Degraded' }
const spoken: Record<string, string> = { Investigating: 'Investigating', Identified: 'Cause found', Mitigated: 'Watching', Resolved: 'Resolved', Closed: 'Resolved' }

export function viewOf(context: ViewContext): StatusView {
  const { spec, incidents, published, now } = context
  const told = incidents.filter(({ metadata }) => (published.get(metadata.uid)?.length ?? 0) > 0)
  const components = spec.components.map((component) => {
    const slo = sloOf(component, context.slos)
    const days = historyOf(slo && context.days.get(slo.metadata.uid), now)
    const state = component.slo !== undefined && slo === undefined ? undefined : stateOf(component, slo, told)
    return { name: component.name, state, days: days.shares, good: days.good }
  })
  return {
    title: spec.title,
    overall: worst(components.flatMap(({ state }) => state ?? [])),
    components,
    incidents: told.map((one) => shownOf(one, spec, published.get(one.metadata.uid)!)).toSorted((one, other) => Number(one.over) - Number(other.over) || other.at.localeCompare(one.at)),
    at: now.toISOString(),
  }
}

function worst(states: readonly ComponentState[]): ComponentState {
  return componentStates[Math.max(0, ...states.map((state) => componentStates.indexOf(state)))]!
}

/** The objective of a component: the one that is named, else what is promised of the app's answers. */
export function sloOf({ app, environment = usualEnvironment, slo }: Component, slos: readonly Slo[]): Slo | undefined {
  if (slo !== undefined) return slos.find(({ metadata }) => metadata.name === slo)
  const own = slos.filter(({ spec }) => spec.app === app && (spec.environment ?? usualEnvironment) === environment && spec.indicator?.golden === 'requests')
  return own.toSorted((one, other) => Number(one.spec.draft ?? false) - Number(other.spec.draft ?? false) || one.metadata.name.localeCompare(other.metadata.name))[0]
}

function concerns({ app, environment = usualEnvironment, slo }: Component, { spec, status }: Incident, measured: Slo | undefined): boolean {
  if (slo !== undefined) return status?.cause?.name === slo || (measured?.spec.app !== undefined && measured.spec.app === spec.app)
  return app === spec.app && environment === (spec.environment ?? environment)
}

function isOver({ status }: Incident): boolean {
  return status?.state === 'Resolved' || status?.state === 'Closed'
}

function stateOf(component: Component, slo: Slo | undefined, told: readonly Incident[]): ComponentState {
  const open = told.filter((one) => !isOver(one) && concerns(component, one, slo))
  const states = open.map(({ spec, status }): ComponentState => (status?.state === 'Mitigated' ? 'Degraded' : outages[spec.severity]!))
  // Who names an objective wants its burning to be seen.
  const burning = component.slo !== undefined && slo?.status?.alerts?.some(({ alert }) => alert === 'page') === true
  return worst([...states, ...(burning ? (['Degraded'] as const) : [])])
}

function historyOf(counted: ReadonlyMap<number, { good: number; total: number }> | undefined, now: Date): { shares: DayShare[]; good: number | undefined } {
  const today = Math.floor(now.getTime() / dayMs)
  const shares = Array.from({ length: historyDays }, (_, index): DayShare => {
    const day = today - historyDays + 1 + index
    const own = counted?.get(day)
    return { day: new Date(day * dayMs).toISOString().slice(0, 10), good: own && own.total > 0 ? own.good / own.total : undefined }
  })
  const all = [...(counted ?? [])].filter(([day]) => day > today - historyDays).map(([, own]) => own)
  const total = all.reduce((sum, own) => sum + own.total, 0)
  return { shares, good: total > 0 ? all.reduce((sum, own) => sum + own.good, 0) / total : undefined }
}

/** Titles of people inside may say what is nobody's business outside. */
function titleOf(incident: Incident, { components }: StatusPageSpec): string {
  if (incident.spec.publicTitle !== undefined) return incident.spec.publicTitle
  const names = components.filter((component) => concerns(component, incident, undefined)).map(({ name }) => name)
  return names.length === 0 ? 'Trouble' : `Trouble with ${names.join(', ')}`
}

function shownOf(incident: Incident, spec: StatusPageSpec, entries: readonly IncidentEntry[]): ShownIncident {
  const over = isOver(incident)
  const updates = entries.map(({ at, text, data }) => ({ at, text, state: spoken[String(data?.state)] ?? '' }))
  const { resolvedAt } = incident.status ?? {}
  return {
    id: incident.metadata.uid,
    title: titleOf(incident, spec),
    state: spoken[incident.status?.state ?? 'Investigating']!,
    over,
    at: entries.at(-1)!.at,
    updates: [...(over && resolvedAt !== undefined ? [{ at: resolvedAt, text: 'This is resolved.', state: 'Resolved' }] : []), ...updates].toSorted((one, other) => other.at.localeCompare(one.at)),
  }
}
