/** What the server, the portal and the command share about dashboards: variables in queries, names of series, sizes. Pure. */
import type { DashboardSpec, Panel, PanelFigure, PanelQuery, PanelUnit } from './kinds/dashboard.ts'

/** Chosen instead of a value: all of them. */
export const allValues = '$__all'
/** Known to every dashboard. */
export const freeVariables = ['team', 'app', 'environment'] as const
/** Known to every query: the time shown, and ranges that fit the distance of its points. */
export const timeVariables = ['__range', '__interval', '__rate_interval'] as const
/** Dashboards that every team has; no resource may have their names. */
export const readyDashboards = ['executive', 'on-call', 'debug'] as const

/** Metrics of the platform are measured so often; a rate needs several points. */
const measuredEverySeconds = 15

/** Where a variable stands: as $name, ${name} or [[name]]. */
const reference = /\$\{(\w+)(?::\w+)?\}|\[\[(\w+)\]\]|\$(\w+)/g
/** Texts within quotes, with the comparison before them. */
const quoted = /(=~|!~|!=|=)?(\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/gs

export interface Filled {
  text: string
  /** Position in the original of a position in the text. */
  original: (position: number) => number
}

/** Puts values in the place of variables. Within quotes they are escaped, behind =~ and !~ as patterns too; unknown ones stay. */
export function fillQuery(text: string, values: Readonly<Record<string, string>>): Filled {
  const strings = [...text.matchAll(quoted)].map((match) => ({ from: match.index + (match[1]?.length ?? 0) + match[2]!.length, to: match.index + match[0].length, pattern: match[1] === '=~' || match[1] === '!~' }))
  const places: { from: number; to: number; shift: number }[] = []
  let [filled, last] = ['', 0]
  for (const match of text.matchAll(reference)) {
    const value = valueOf(values, match)
    if (value === undefined) continue
    const within = strings.find(({ from, to }) => match.index > from && match.index < to)
    filled += text.slice(last, match.index)
    const from = filled.length
    filled += within ? escaped(value, within.pattern) : value === allValues ? '.*' : value
    last = match.index + match[0].length
    places.push({ from, to: filled.length, shift: last - filled.length })
  }
  return { text: filled + text.slice(last), original: (position) => originalOf(position, places) }
}

function valueOf(values: Readonly<Record<string, string>>, match: RegExpExecArray): string | undefined {
  const name = match[1] ?? match[2] ?? match[3]!
  return Object.hasOwn(values, name) ? values[name] : undefined
}

function escaped(value: string, asPattern: boolean): string {
  if (value === allValues) return '.*'
  const pattern = asPattern ? value.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&') : value
  return pattern.replaceAll(/["'\\]/g, '\\$&').replaceAll('\n', '\\n')
}

function originalOf(position: number, places: readonly { from: number; to: number; shift: number }[]): number {
  const before = places.filter(({ from }) => from < position).at(-1)
  if (!before) return position
  return Math.max(position, before.to) + before.shift
}

/** Names of the variables in a text, each once. */
export function variablesIn(text: string): string[] {
  return [...new Set([...text.matchAll(reference)].map((match) => match[1] ?? match[2] ?? match[3]!))]
}

/** Whether a variable stands in quotes behind = or !=, where it can be one value and not all. */
export function comparesOne(text: string, name: string): boolean {
  return [...text.matchAll(quoted)].some((match) => (match[1] === '=' || match[1] === '!=') && variablesIn(match[3]!).includes(name))
}

/** `label_values(selector, label)` taken apart; undefined where it is something else. */
export function labelValuesOf(query: string): { selector: string; label: string } | undefined {
  const match = /^\s*label_values\s*\(\s*(?:(.+?)\s*,\s*)?([A-Za-z_]\w*)\s*\)\s*$/s.exec(query)
  return match ? { selector: match[1] ?? '', label: match[2]! } : undefined
}

/** Every query of a dashboard, and where it stands in its spec. */
export function queriesOf({ panels }: DashboardSpec): { panel: Panel; query: PanelQuery; field: string }[] {
  return panels.flatMap((panel, index) => (panel.queries ?? []).map((query, place) => ({ panel, query, field: `spec.panels[${index}].queries[${place}].query` })))
}

/** Lists that are about one app. */
export const listsOfApp: ReadonlySet<string> = new Set(['changes', 'logs', 'traces'])

/** Names of the variables that a dashboard needs, those of its own among them. */
export function usedVariables(spec: DashboardSpec): Set<string> {
  const lists = spec.panels.some(({ list }) => list !== undefined && listsOfApp.has(list)) ? ['app', 'environment'] : []
  return new Set([...lists, ...queriesOf(spec).flatMap(({ query }) => variablesIn(query.query)), ...(spec.variables ?? []).flatMap(({ query }) => (query === undefined ? [] : variablesIn(query)))])
}

export function isInstant({ kind }: Pick<Panel, 'kind'>, { instant }: PanelQuery): boolean {
  return kind === 'line' || kind === 'area' ? false : (instant ?? true)
}

/** Columns and rows of a panel that does not say. */
export function sizeOf({ kind, width, height }: Pick<Panel, 'kind' | 'width' | 'height'>): { width: number; height: number } {
  return { width: width ?? (kind === 'stat' ? 2 : 6), height: height ?? (kind === 'stat' ? 3 : 7) }
}

/** What queries have as $__range and the like, for a time of this length with points this far apart. */
export function timeValues(lengthSeconds: number, stepSeconds: number): Record<(typeof timeVariables)[number], string> {
  return { __range: `${Math.max(1, Math.round(lengthSeconds))}s`, __interval: `${stepSeconds}s`, __rate_interval: `${Math.max(4 * measuredEverySeconds, stepSeconds + measuredEverySeconds)}s` }
}

/** `{{app}} in {{environment}}` with labels put in. */
export function legendText(legend: string, labels: Readonly<Record<string, string>>): string {
  return legend.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_match, label: string) => labels[label] ?? '')
}

/** The last threshold that a value reaches. */
export function toneOf(value: number | null | undefined, thresholds: Panel['thresholds'] = []): 'good' | 'warn' | 'bad' | undefined {
  if (value === null || value === undefined) return undefined
  return thresholds.toSorted((one, other) => one.value - other.value).findLast((threshold) => value >= threshold.value)?.tone
}

/** How the shapes of a unit stand to what is written: a ratio of 0.5 is 50 with %. */
export const unitScales: Record<PanelUnit, { factor: number; unit: string }> = {
  short: { factor: 1, unit: '' },
  ratio: { factor: 100, unit: '%' },
  percent: { factor: 1, unit: '%' },
  seconds: { factor: 1000, unit: 'ms' },
  milliseconds: { factor: 1, unit: 'ms' },
  bytes: { factor: 1, unit: 'bytes' },
  bytesPerSecond: { factor: 1, unit: 'bytes/s' },
  perSecond: { factor: 1, unit: '/s' },
}

export const figureUnits: Record<PanelFigure, PanelUnit> = { deploymentsPerDay: 'short', deploymentsKept: 'ratio', pushToLive: 'seconds', slosKept: 'ratio', budgetLeft: 'ratio', incidents: 'short', timeToRestore: 'seconds', alertsFiring: 'short', incidentsOpen: 'short' }

/** One query of `POST /v1/teams/:team/queries`. */
export interface AskedQuery {
  query: string
  /** At `until` only. */
  instant?: boolean
}

/** Body of `POST /v1/teams/:team/queries`; times are seconds since the epoch. */
export interface AskedQueries {
  from: number
  until: number
  step: number
  queries: AskedQuery[]
}

/** A line of the answer, as soon as that query is done. */
export type QueryAnswer = {
  /** Place among the queries. */
  index: number
} & (
  | {
      series: { labels: Record<string, string>; /** One for each step from `from` on, or the only one. */ values: (number | null)[] }[]
      /** Series that there were; those with the most are given. */
      found: number
    }
  | { error: { code: string; message: string; fix?: string; from?: number; to?: number } }
)

/** A figure that is reckoned from resources. */
export interface FigureAnswer {
  /** Undefined: there is nothing to reckon it from. */
  value?: number
  /** From how much. */
  of: string
  /** Older deployments are forgotten: it may be more. */
  atLeast?: boolean
}

export type Figures = Partial<Record<PanelFigure, FigureAnswer>>

/** What an import took, and what it could not. */
export interface DashboardImport {
  name: string
  spec: DashboardSpec
  /** What is not as it was, by the name of its panel, with why. */
  leftOut: { name: string; why: string }[]
}
