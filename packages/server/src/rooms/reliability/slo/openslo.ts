/** OpenSLO v1 into objectives. Whoever writes it is not trusted, and what does not map is refused by its name. Pure. */
import { fail, type Cause, type SloSpec } from '@pavior/contract'
import { parseAllDocuments, type Document } from 'yaml'
import { alertingOf } from './openslo-alerts.ts'
import { indicatorOf } from './openslo-indicator.ts'
import { annotationNames, Reading, type Fields } from './openslo-reading.ts'

export { exportSlos } from './openslo-export.ts'

/** What OpenSLO does not say. */
export interface Place {
  app?: string
  environment?: string
}

export interface Imported {
  name: string
  labels?: Record<string, string>
  spec: SloSpec
}

const mostAliases = 50
const mostObjectives = 200
const version = 'openslo/v1'
/** What needs no place of its own here. */
const carried = new Set(['Service', 'SLI', 'SLO', 'AlertPolicy', 'AlertCondition'])

/** Throws INVALID with every place that is wrong or has no counterpart. */
export function importSlos(text: string, place: Place): Imported[] {
  const causes: Cause[] = []
  const documents = read(text, causes)
  const byKind = (kind: string): Map<string, Fields> => new Map(documents.filter((one) => one.kind === kind).map((one) => [String((one.metadata as Fields).name), one]))
  const known = { indicators: byKind('SLI'), policies: byKind('AlertPolicy'), conditions: byKind('AlertCondition') }
  const imported = documents.flatMap((document, index) => (document.kind === 'SLO' ? slosOf(document, new Reading(causes, `document ${index + 1}`), known, place) : []))
  if (causes.length === 0 && imported.length === 0) causes.push({ field: 'document 1', message: 'No document is of kind SLO.' })
  if (imported.length > mostObjectives) causes.push({ field: 'documents', message: `${imported.length} objectives are declared; ${mostObjectives} are the most at once.` })
  if (causes.length > 0) throw fail('INVALID', { message: `These documents cannot be taken over: ${causes[0]!.field} ${causes[0]!.message}`, causes, fix: 'Change or remove what is named, and import again. Nothing was changed.' })
  return imported
}

function read(text: string, causes: Cause[]): (Fields & { kind: string; metadata: Fields })[] {
  let values: unknown[] = []
  try {
    const documents = parseAllDocuments(text, { uniqueKeys: true, strict: true, logLevel: 'silent' })
    for (const document of (Array.isArray(documents) ? documents : []) as Document[]) {
      const problem = document.errors[0]
      if (problem) causes.push({ field: `line ${problem.linePos?.[0].line ?? 1}`, message: `is not valid YAML: ${problem.message.split('\n')[0]}` })
      else values.push(document.toJS({ maxAliasCount: mostAliases }))
    }
  } catch (error) {
    causes.push({ field: 'document', message: error instanceof RangeError ? 'is nested too deeply.' : (error as Error).message })
    values = []
  }
  return values.filter((value) => value !== null && value !== undefined).flatMap((value, index) => {
    const reading = new Reading(causes, `document ${index + 1}`)
    const fields = reading.map(value, '', ['apiVersion', 'kind', 'metadata', 'spec'])
    if (!fields) return []
    if (fields.apiVersion !== version) reading.wrong('apiVersion', `must be ${version}.`)
    if (typeof fields.kind !== 'string' || !carried.has(fields.kind)) return reading.wrong('kind', `${String(fields.kind).slice(0, 60)} has no counterpart here; ${[...carried].join(', ')} have.`)
    const metadata = reading.map(fields.metadata, 'metadata', ['name', 'displayName', 'labels', 'annotations'])
    if (typeof metadata?.name !== 'string') return reading.wrong('metadata.name', 'must be a name.')
    return [{ ...fields, kind: fields.kind, metadata }]
  })
}

export interface Known {
  indicators: Map<string, Fields>
  policies: Map<string, Fields>
  conditions: Map<string, Fields>
}

function slosOf({ metadata, spec: given }: Fields & { metadata: Fields }, reading: Reading, known: Known, place: Place): Imported[] {
  const spec = reading.map(given, 'spec', ['description', 'service', 'indicator', 'indicatorRef', 'timeWindow', 'budgetingMethod', 'objectives', 'alertPolicies'])
  if (!spec) return []
  const annotations = reading.texts(metadata.annotations, 'metadata.annotations')
  const objectives = reading.list(spec.objectives, 'spec.objectives')
  if (objectives.length === 0) reading.wrong('spec.objectives', 'must hold an objective.')
  const app = place.app ?? reading.text(spec.service, 'spec.service')
  const environment = place.environment ?? annotations[annotationNames.environment]
  const budgeting = reading.oneOf(spec.budgetingMethod, 'spec.budgetingMethod', ['Occurrences', 'Timeslices', 'RatioTimeslices'] as const)
  const window = windowOf(spec.timeWindow, reading)
  const alerting = alertingOf(spec.alertPolicies, annotations, reading, known)
  const onExhausted = annotations[annotationNames.onExhausted]
  return objectives.flatMap((one, index) => {
    const path = `spec.objectives[${index}]`
    const objective = reading.map(one, path, ['displayName', 'op', 'value', 'target', 'targetPercent', 'timeSliceTarget', 'timeSliceWindow'])
    if (!objective) return []
    const indicator = indicatorOf(spec, objective, path, reading, known)
    if (!indicator) return []
    const description = spec.description ?? metadata.displayName
    return [{
      name: objectives.length === 1 ? String(metadata.name) : `${String(metadata.name)}-${slug(objective.displayName) || index + 1}`,
      ...(metadata.labels === undefined ? {} : { labels: reading.texts(metadata.labels, 'metadata.labels') }),
      spec: {
        ...(description === undefined ? {} : { description: reading.text(description, 'spec.description') }),
        app,
        ...(environment === undefined ? {} : { environment }),
        indicator,
        objective: targetOf(objective, path, reading),
        window,
        ...(budgeting === 'Occurrences' ? {} : { budgeting, ...slices(objective, path, reading, budgeting) }),
        ...(alerting ? { alerting } : {}),
        ...(onExhausted === undefined ? {} : { budgetPolicy: { onExhausted: onExhausted as 'warn' } }),
      },
    }]
  })
}

function slug(name: unknown): string {
  return String(name ?? '').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '').slice(0, 40)
}

function targetOf({ target, targetPercent }: Fields, path: string, reading: Reading): number {
  if (target !== undefined && targetPercent !== undefined) reading.wrong(path, 'has target and targetPercent; give one of them.')
  return targetPercent === undefined ? reading.number(target, `${path}.target`) : reading.number(targetPercent, `${path}.targetPercent`) / 100
}

function slices({ timeSliceTarget, timeSliceWindow }: Fields, path: string, reading: Reading, budgeting: string): Pick<SloSpec, 'timeSlice'> {
  const minutes = timeSliceWindow === undefined ? undefined : minutesOf(timeSliceWindow, `${path}.timeSliceWindow`, reading)
  const target = timeSliceTarget === undefined || budgeting !== 'Timeslices' ? undefined : reading.number(timeSliceTarget, `${path}.timeSliceTarget`)
  if (timeSliceTarget !== undefined && budgeting !== 'Timeslices') reading.wrong(`${path}.timeSliceTarget`, 'is of Timeslices alone.')
  const timeSlice = { ...(minutes === undefined ? {} : { minutes }), ...(target === undefined ? {} : { target }) }
  return Object.keys(timeSlice).length > 0 ? { timeSlice } : {}
}

function minutesOf(value: unknown, path: string, reading: Reading): number {
  const [, count, unit] = /^(\d{1,4})([mh])$/.exec(String(value)) ?? []
  if (count === undefined) reading.wrong(path, `"${String(value).slice(0, 40)}" is no number of minutes such as 1m.`)
  return Number(count ?? 1) * (unit === 'h' ? 60 : 1)
}

/** In a calendar window `m` is a month, as nobody budgets by the calendar minute. */
const periods: Record<string, 'day' | 'week' | 'month' | 'quarter'> = { '1d': 'day', '1w': 'week', '7d': 'week', '1m': 'month', '1M': 'month', '1Q': 'quarter', '3M': 'quarter', '3m': 'quarter' }

function windowOf(given: unknown, reading: Reading): NonNullable<SloSpec['window']> {
  const windows = reading.list(given, 'spec.timeWindow')
  if (windows.length !== 1) reading.wrong('spec.timeWindow', 'must hold one window.')
  const path = 'spec.timeWindow[0]'
  const window = reading.map(windows[0], path, ['duration', 'isRolling', 'calendar']) ?? {}
  const duration = reading.text(window.duration, `${path}.duration`)
  if (window.isRolling === true) {
    if (!/^[1-9]\d{0,3}[hdw]$/.test(duration)) reading.wrong(`${path}.duration`, `"${duration.slice(0, 40)}" has no counterpart: give hours, days or weeks for a rolling window.`)
    if (window.calendar !== undefined) reading.wrong(`${path}.calendar`, 'is of windows that do not roll.')
    return { rolling: duration }
  }
  const period = periods[duration]
  if (!period) reading.wrong(`${path}.duration`, `"${duration.slice(0, 40)}" has no counterpart: give 1d, 1w, 1M or 1Q for a calendar window.`)
  const calendar = reading.map(window.calendar, `${path}.calendar`, ['startTime', 'timeZone']) ?? {}
  const timeZone = reading.text(calendar.timeZone, `${path}.calendar.timeZone`)
  const start = reading.text(calendar.startTime, `${path}.calendar.startTime`).replace(' ', 'T')
  return { calendar: { period: period ?? 'month', timeZone, start } }
}
