/** Figures that are reckoned from resources, over a time. Pure. */
import type { Alert, Deployment, FiguresOf, Incident, Slo } from './ports.ts'
import type { FigureAnswer, Figures } from '@pavior/contract'

const dayMs = 24 * 3600_000
/** Of each app so many ended deployments are kept. */
const keptDeployments = 50
const over = new Set(['Resolved', 'Closed'])

export function figuresOf({ deployments, arrived, slos, incidents, alerts }: FiguresOf, fromMs: number, untilMs: number): Figures {
  return { ...deploymentFigures(deployments, arrived, fromMs, untilMs), ...sloFigures(slos), ...incidentFigures(incidents, fromMs, untilMs), alertsFiring: firing(alerts) }
}

function deploymentFigures(all: readonly Deployment[], arrived: FiguresOf['arrived'], fromMs: number, untilMs: number): Figures {
  const within = (at: string | undefined): boolean => at !== undefined && Date.parse(at) >= fromMs && Date.parse(at) < untilMs
  const shown = all.filter(({ spec, status }) => !spec.rollbackTo && within(status?.finishedAt) && status?.phase !== 'Canceled' && status?.phase !== 'Superseded')
  const takenBack = new Set(all.filter(({ spec, status }) => spec.rollbackTo && status?.phase === 'Succeeded' && status.previousRelease !== undefined).map(({ metadata, spec, status }) => placeOf(metadata.namespace, spec.app, spec.environment, status!.previousRelease!)))
  const kept = shown.filter(({ metadata, spec, status }) => status?.phase === 'Succeeded' && !takenBack.has(placeOf(metadata.namespace, spec.app, spec.environment, spec.release)))
  const seconds = shown.flatMap((each) => (each.status?.phase === 'Succeeded' ? (secondsToLive(each, arrived) ?? []) : []))
  const atLeast = isForgotten(all, fromMs)
  const count = counted(shown.length, 'deployment')
  return {
    deploymentsPerDay: { value: Math.round((shown.length / Math.max((untilMs - fromMs) / dayMs, 1)) * 100) / 100, of: count, ...(atLeast ? { atLeast } : {}) },
    deploymentsKept: { ...(shown.length === 0 ? {} : { value: kept.length / shown.length }), of: count },
    pushToLive: { ...middle(seconds), of: counted(seconds.length, 'deployment') },
  }
}

function placeOf(team: string | undefined, app: string, environment: string, release: number): string {
  return JSON.stringify([team, app, environment, release])
}

/** Only the first deployment of a source tells how long that took: later ones wait for other reasons. */
function secondsToLive({ metadata, spec, status }: Deployment, arrived: FiguresOf['arrived']): number | undefined {
  const from = spec.promotedFrom === undefined && spec.notBefore === undefined ? arrived(metadata.namespace!, spec.app, spec.release) : undefined
  return from === undefined ? undefined : Math.max(0, (Date.parse(status!.finishedAt!) - Date.parse(from)) / 1000)
}

/** Whether some app had more deployments since then than are kept. */
function isForgotten(all: readonly Deployment[], fromMs: number): boolean {
  const byApp = new Map<string, Deployment[]>()
  for (const each of all) {
    const key = `${each.metadata.namespace}/${each.spec.app}`
    byApp.set(key, [...(byApp.get(key) ?? []), each])
  }
  return [...byApp.values()].some((group) => group.length >= keptDeployments && group.every(({ metadata }) => Date.parse(metadata.creationTimestamp) >= fromMs))
}

function sloFigures(slos: readonly Slo[]): Figures {
  const left = slos.filter(({ spec, status }) => !spec.draft && status?.budget).map(({ status }) => status!.budget!.remaining)
  const of = counted(left.length, 'objective')
  return { slosKept: { ...(left.length === 0 ? {} : { value: left.filter((share) => share > 0).length / left.length }), of }, budgetLeft: { ...(left.length === 0 ? {} : { value: Math.min(...left) }), of } }
}

function incidentFigures(incidents: readonly Incident[], fromMs: number, untilMs: number): Figures {
  const began = incidents.filter(({ metadata, status }) => {
    const at = Date.parse(status?.detectedAt ?? metadata.creationTimestamp)
    return at >= fromMs && at < untilMs
  })
  const open = incidents.filter(({ status }) => !over.has(status?.state ?? ''))
  const restored = began.flatMap(({ status }) => status?.seconds?.restore ?? [])
  return { incidents: { value: began.length, of: 'in this time' }, timeToRestore: { ...middle(restored), of: counted(restored.length, 'incident') }, incidentsOpen: { value: open.length, of: 'now' } }
}

function firing(alerts: readonly Alert[]): FigureAnswer {
  const all = alerts.filter(({ status }) => status?.state !== 'Resolved')
  const taken = all.filter(({ status }) => status?.state === 'Acknowledged').length
  return { value: all.length, of: taken === 0 ? 'now' : `${taken} of them taken` }
}

function middle(values: readonly number[]): { value?: number } {
  if (values.length === 0) return {}
  return { value: values.toSorted((one, other) => one - other)[Math.ceil(values.length / 2) - 1]! }
}

function counted(count: number, what: string): string {
  return `of ${count} ${what}${count === 1 ? '' : 's'}`
}
