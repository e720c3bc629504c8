/** A dashboard of Grafana → ours. What does not fit is named, never left out silently. Pure. */
import { allValues, fail, freeVariables, labelValuesOf, timeVariables, variablesIn, type DashboardImport, type DashboardSpec, type DashboardVariable, type Panel, type PanelQuery } from '@pavior/contract'
import { ownUnit } from './grafana-units.ts'

const mostPanels = 60
const mostQueries = 12
const mostVariables = 20
const kinds: Record<string, Panel['kind']> = { timeseries: 'line', graph: 'line', stat: 'stat', singlestat: 'stat', gauge: 'stat', bargauge: 'bar', barchart: 'bar', table: 'table', 'table-old': 'table', text: 'text' }
const ranges: Record<string, DashboardSpec['range']> = { 'now-15m': '15m', 'now-1h': '1h', 'now-6h': '6h', 'now-24h': '24h', 'now-1d': '24h', 'now-7d': '7d' }
/** Of Grafana's 24 columns, and of its rows of 38 pixels with a gap of 8. */
const columnsEach = 2
const rowPixels = 38
const ownRowPixels = 48

type Json = Record<string, unknown>

/** Gathers what is not taken as it goes. */
interface Notes {
  leave: (name: string, why: string) => undefined
}

/** `name`: instead of one made of its title. Throws BAD_REQUEST for what is no dashboard of Grafana. */
export function fromGrafana(text: string, name?: string): DashboardImport {
  const dashboard = dashboardIn(text)
  const leftOut: DashboardImport['leftOut'] = []
  const notes: Notes = {
    leave: (about, why) => {
      leftOut.push({ name: about, why })
      return undefined
    },
  }
  const title = cut(textOf(dashboard.title) || 'Imported', 120)
  const variables = variablesOf(dashboard, notes)
  const known = new Set<string>([...freeVariables, ...timeVariables, ...variables.map((variable) => variable.name)])
  const panels = panelsOf(dashboard, known, notes)
  restOf(dashboard, notes)
  const description = cut(textOf(dashboard.description), 1000)
  const range = ranges[textOf(object(dashboard.time).from)]
  return { name: name ?? nameOf(title), spec: { title, ...(description ? { description } : {}), ...(range ? { range } : {}), ...(variables.length > 0 ? { variables } : {}), panels }, leftOut }
}

function dashboardIn(text: string): Json {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw fail('BAD_REQUEST', { message: `The text is no JSON: ${(error as Error).message.slice(0, 120)}`, fix: 'Save the dashboard in Grafana with Share, Export, and give that file.' })
  }
  const outer = object(parsed)
  // What Grafana's API answers has it inside.
  const dashboard = Object.keys(object(outer.dashboard)).length > 0 ? object(outer.dashboard) : outer
  if (!Array.isArray(dashboard.panels) && !Array.isArray(dashboard.rows)) throw fail('BAD_REQUEST', { message: 'This is no dashboard of Grafana: it has no panels.', fix: 'Save the dashboard in Grafana with Share, Export, and give that file.' })
  return dashboard
}

/** Lower case letters, digits and dashes, and a letter first. */
function nameOf(title: string): string {
  const plain = title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^[-0-9]+|-+$/g, '').slice(0, 50).replace(/-+$/, '')
  return plain === '' ? 'imported' : ['executive', 'on-call', 'debug'].includes(plain) ? `${plain}-imported` : plain
}

function variablesOf(dashboard: Json, notes: Notes): DashboardVariable[] {
  const taken: DashboardVariable[] = []
  for (const given of list(object(dashboard.templating).list)) {
    const name = textOf(given.name)
    const about = `variable $${name}`
    if (textOf(given.type) === 'datasource') continue
    if ((freeVariables as readonly string[]).includes(name)) continue
    if (!/^[A-Za-z][A-Za-z0-9_]{0,39}$/.test(name)) notes.leave(about, 'A name is letters, digits and underscores, up to 40.')
    else if (taken.length >= mostVariables) notes.leave(about, `There are more than ${mostVariables} variables.`)
    else if (taken.every((one) => one.name !== name)) {
      const made = variableOf(given, name, about, notes)
      if (made) taken.push(made)
    }
  }
  return taken
}

function variableOf(given: Json, name: string, about: string, notes: Notes): DashboardVariable | undefined {
  const type = textOf(given.type)
  const label = cut(textOf(given.label), 60)
  if (given.multi === true) notes.leave(about, 'Several values at once cannot be chosen: one of them, or all.')
  if (textOf(given.regex) !== '') notes.leave(about, 'Its regular expression is not applied to the values.')
  const usual = cut(textOf(object(given.current).value), 200)
  const shared = { name, ...(label && label !== name ? { label } : {}), ...(usual && usual !== allValues ? { default: usual } : {}), ...(given.includeAll === true ? { includeAll: true } : {}) }
  if (type === 'query') {
    const query = textOf(given.query) || textOf(object(given.query).query) || textOf(given.definition)
    if (labelValuesOf(query) && query.length <= 1000) return { ...shared, query }
    notes.leave(about, 'Only label_values(selector, label) can be asked.')
    return undefined
  }
  if (type === 'custom' || type === 'interval' || type === 'constant' || type === 'textbox') {
    const values = [...new Set(textOf(given.query).split(/(?<!\\),/).map((value) => cut(value.replaceAll('\\,', ',').replace(/^.*?\s:\s/, '').trim(), 200)).filter((value) => value !== ''))].slice(0, 200)
    if (values.length > 0) return { ...shared, values }
  }
  notes.leave(about, `A variable of type ${type || 'unknown'} without values cannot be taken.`)
  return undefined
}

function panelsOf(dashboard: Json, known: ReadonlySet<string>, notes: Notes): Panel[] {
  const titles = new Set<string>()
  const taken: Panel[] = []
  for (const given of inPlace(dashboard, notes)) {
    const title = freshTitle(cut(textOf(given.title).trim(), 110) || 'Panel', titles)
    const panel = taken.length < mostPanels ? panelOf(given, title, known, notes) : notes.leave(title, `There are more than ${mostPanels} panels.`)
    if (!panel) continue
    titles.add(title)
    taken.push(panel)
  }
  return taken
}

/** From the top, then from the left; those in collapsed rows where the row is. */
function inPlace(dashboard: Json, notes: Notes): Json[] {
  const old = list(dashboard.rows).flatMap((row) => list(row.panels))
  const flat = list(dashboard.panels).flatMap((panel) => (textOf(panel.type) === 'row' ? [panel, ...list(panel.panels)] : [panel]))
  const rows = flat.filter((panel) => textOf(panel.type) === 'row')
  for (const row of rows) if (textOf(row.title) !== '') notes.leave(`row ${cut(textOf(row.title), 100)}`, 'Rows are not kept; their panels are.')
  const at = (panel: Json, axis: 'x' | 'y'): number => Number(object(panel.gridPos)[axis] ?? 0) || 0
  return [...flat.filter((panel) => textOf(panel.type) !== 'row').toSorted((one, other) => at(one, 'y') - at(other, 'y') || at(one, 'x') - at(other, 'x')), ...old]
}

function freshTitle(title: string, titles: ReadonlySet<string>): string {
  for (let count = 1; ; count++) {
    const tried = count === 1 ? title : `${title} (${count})`
    if (!titles.has(tried)) return tried
  }
}

function panelOf(given: Json, title: string, known: ReadonlySet<string>, notes: Notes): Panel | undefined {
  const type = textOf(given.type)
  const kind = Object.hasOwn(kinds, type) ? kinds[type]! : undefined
  if (!kind) return notes.leave(title, `A panel of type ${cut(type, 60) || 'unknown'} cannot be shown.`)
  const description = cut(textOf(given.description), 1000)
  const shared = { title, ...(description ? { description } : {}), ...sizeFrom(given) }
  if (kind === 'text') return textPanel(given, shared, notes)
  const queries = queriesFrom(given, kind, title, known, notes)
  if (queries.length === 0) return notes.leave(title, 'None of its queries can be asked.')
  if (list(object(given.fieldConfig).overrides).length > 0) notes.leave(title, 'Overrides of single series are not kept.')
  if (list(given.transformations).some(({ id }) => id !== 'labelsToFields')) notes.leave(title, 'Transformations are not made.')
  if (type === 'gauge') notes.leave(title, 'It is shown as a figure, not as a gauge.')
  return { ...shared, kind: kind === 'line' && isFilled(given) ? 'area' : kind, queries, ...unitFrom(given, title, notes), ...thresholdsFrom(given, title, notes) }
}

function textPanel(given: Json, shared: Pick<Panel, 'title'>, notes: Notes): Panel | undefined {
  const options = Object.keys(object(given.options)).length > 0 ? object(given.options) : given
  const text = cut(textOf(options.content), 20_000)
  if (textOf(options.mode) === 'html') notes.leave(shared.title, 'HTML is shown as Markdown, without what is not safe.')
  return text === '' ? notes.leave(shared.title, 'It has no text.') : { ...shared, kind: 'text', text }
}

function queriesFrom(given: Json, kind: Panel['kind'], title: string, known: ReadonlySet<string>, notes: Notes): PanelQuery[] {
  const taken: PanelQuery[] = []
  for (const target of list(given.targets)) {
    const query = textOf(target.expr).trim()
    const about = `${title}, query ${textOf(target.refId) || taken.length + 1}`
    const unknown = variablesIn(query).filter((name) => !known.has(name))
    const type = textOf(object(target.datasource).type) || textOf(object(given.datasource).type)
    if (type !== '' && type !== 'prometheus') notes.leave(about, `It asks ${cut(type, 60)}; only Prometheus can be asked.`)
    else if (query === '') notes.leave(about, 'It is no query of Prometheus.')
    else if (query.length > 8000) notes.leave(about, 'It is longer than 8000 characters.')
    else if (unknown.length > 0) notes.leave(about, `${unknown.map((name) => `$${cut(name, 60)}`).join(', ')} is not known.`)
    else if (taken.length >= mostQueries) notes.leave(about, `A panel has at most ${mostQueries} queries.`)
    else {
      if (target.hide === true) notes.leave(about, 'It was hidden, and is shown.')
      taken.push(queryFrom(target, query, kind))
    }
  }
  return taken
}

function queryFrom(target: Json, query: string, kind: Panel['kind']): PanelQuery {
  const legend = cut(textOf(target.legendFormat), 200)
  const overTime = kind !== 'line' && target.range === true && target.instant !== true
  return { query, ...(legend && legend !== '__auto' ? { legend } : {}), ...(overTime ? { instant: false } : {}) }
}

function unitFrom(given: Json, title: string, notes: Notes): Pick<Panel, 'unit'> {
  const unit = textOf(object(object(given.fieldConfig).defaults).unit) || undefined
  const own = ownUnit(unit)
  if (!own) notes.leave(title, `The unit ${cut(unit!, 60)} is not known; numbers are shown as they are.`)
  return own && own !== 'short' ? { unit: own } : {}
}

function thresholdsFrom(given: Json, title: string, notes: Notes): Pick<Panel, 'thresholds'> {
  const { mode, steps } = object(object(object(given.fieldConfig).defaults).thresholds)
  const own = list(steps).filter(({ value }) => typeof value === 'number' && Number.isFinite(value))
  if (own.length === 0) return {}
  if (mode === 'percentage') {
    notes.leave(title, 'Thresholds in percent of a range are not known.')
    return {}
  }
  return { thresholds: own.slice(0, 8).map(({ value, color }) => ({ value: value as number, tone: toneOf(textOf(color)) })) }
}

function toneOf(colour: string): 'good' | 'warn' | 'bad' {
  return /green/.test(colour) ? 'good' : /yellow|orange|amber/.test(colour) ? 'warn' : 'bad'
}

function sizeFrom({ gridPos }: Json): Pick<Panel, 'width' | 'height'> {
  const { w, h } = object(gridPos)
  const within = (value: number, most: number, least: number): number => Math.min(most, Math.max(least, Math.round(value)))
  return { ...(typeof w === 'number' && w > 0 ? { width: within(w / columnsEach, 12, 1) } : {}), ...(typeof h === 'number' && h > 0 ? { height: within((h * rowPixels) / ownRowPixels, 20, 2) } : {}) }
}

function isFilled({ fieldConfig }: Json): boolean {
  return Number(object(object(object(fieldConfig).defaults).custom).fillOpacity ?? 0) > 0
}

function restOf(dashboard: Json, notes: Notes): void {
  for (const annotation of list(object(dashboard.annotations).list)) {
    if (annotation.builtIn !== 1) notes.leave(`annotation ${cut(textOf(annotation.name), 60)}`, 'Deployments and incidents are marked by themselves; others are not.')
  }
  if (list(dashboard.links).length > 0) notes.leave('links', 'Links above the panels are not kept.')
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(object) : []
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function cut(text: string, most: number): string {
  return text.length > most ? text.slice(0, most) : text
}
