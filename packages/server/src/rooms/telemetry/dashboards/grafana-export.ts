/** A dashboard of ours → Grafana's JSON. Pure. */
import { freeVariables, isInstant, sizeOf, usedVariables, type DashboardSpec, type DashboardVariable, type Panel } from '@pavior/contract'
import { grafanaUnit } from './grafana-units.ts'

const schemaVersion = 38
const columns = 24
const pixels = { row: 38, own: 48 }
const source = { type: 'prometheus', uid: '${source}' }
const colours = { good: 'green', warn: 'orange', bad: 'red' } as const
const types: Record<Panel['kind'], string> = { line: 'timeseries', area: 'timeseries', stat: 'stat', bar: 'bargauge', table: 'table', text: 'text', list: 'text' }

export interface GrafanaExport {
  dashboard: Record<string, unknown>
  /** What Grafana cannot show, by the name of its panel, with why. */
  leftOut: { name: string; why: string }[]
}

/** `address`: of a panel that only Pavior can show, there. */
export function toGrafana(name: string, spec: DashboardSpec, address: string): GrafanaExport {
  const places = placed(spec.panels)
  return {
    dashboard: {
      uid: `pavior-${name}`.slice(0, 40),
      title: spec.title,
      description: spec.description ?? '',
      tags: ['pavior'],
      schemaVersion,
      version: 1,
      editable: true,
      refresh: '30s',
      time: { from: `now-${spec.range ?? '1h'}`, to: 'now' },
      templating: { list: variablesOf(spec) },
      annotations: { list: [] },
      panels: spec.panels.map((panel, index) => panelOf(panel, index + 1, places[index]!, address)),
    },
    leftOut: spec.panels.flatMap(({ title, kind, list, figure }) => (kind === 'list' ? [{ name: title, why: `Grafana does not know ${list}; the panel says where Pavior shows them.` }] : figure ? [{ name: title, why: 'It is reckoned from what Pavior knows and is no series; the panel says where Pavior shows it.' }] : [])),
  }
}

interface Place {
  x: number
  y: number
  w: number
  h: number
}

/** Rows are filled from the left; a row is as high as the highest of its panels. */
function placed(panels: readonly Panel[]): Place[] {
  let [x, y, rowHeight] = [0, 0, 0]
  return panels.map((panel) => {
    const { width, height } = sizeOf(panel)
    const [w, h] = [width * 2, Math.max(2, Math.round((height * pixels.own) / pixels.row))]
    if (x + w > columns) [x, y, rowHeight] = [0, y + rowHeight, 0]
    const place = { x, y, w, h }
    x += w
    rowHeight = Math.max(rowHeight, h)
    return place
  })
}

function panelOf(panel: Panel, id: number, gridPos: Place, address: string): Record<string, unknown> {
  const { title, kind, description = '', queries = [], unit, thresholds } = panel
  const shared = { id, type: panel.figure ? 'text' : types[kind], title, description, gridPos }
  if (kind === 'text') return { ...shared, options: { mode: 'markdown', content: panel.text ?? '' } }
  if (kind === 'list' || panel.figure) return { ...shared, options: { mode: 'markdown', content: `Shown in Pavior: [${title}](${address})` } }
  const filled = kind === 'area' ? { custom: { fillOpacity: 20 } } : {}
  const steps = thresholds ? { thresholds: { mode: 'absolute', steps: [{ color: 'text', value: null }, ...thresholds.map(({ value, tone }) => ({ color: colours[tone], value }))] } } : {}
  return {
    ...shared,
    datasource: source,
    fieldConfig: { defaults: { unit: grafanaUnit(unit), ...(unit === undefined || unit === 'short' ? {} : { min: 0 }), ...filled, ...steps }, overrides: [] },
    targets: queries.map((query, index) => {
      const instant = isInstant(panel, query)
      return { refId: refId(index), datasource: source, expr: query.query, legendFormat: query.legend ?? '__auto', instant, range: !instant }
    }),
    ...optionsOf(kind),
  }
}

function refId(index: number): string {
  return String.fromCharCode(65 + index)
}

function optionsOf(kind: Panel['kind']): Record<string, unknown> {
  if (kind === 'stat' || kind === 'bar') return { options: { reduceOptions: { calcs: ['lastNotNull'] }, ...(kind === 'stat' ? { colorMode: 'value' } : { orientation: 'horizontal' }) } }
  if (kind === 'table') return { transformations: [{ id: 'labelsToFields', options: {} }] }
  return { options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } } }
}

/** Those that every dashboard of ours knows are asked for like others, as far as they are used. */
function variablesOf(spec: DashboardSpec): Record<string, unknown>[] {
  const used = usedVariables({ ...spec, panels: spec.panels.filter(({ kind }) => kind !== 'list') })
  // Each narrows down the next, so one that stands behind another needs it.
  const last = freeVariables.findLastIndex((name) => used.has(name))
  const free = freeVariables.slice(0, last + 1).map((name, index): DashboardVariable => {
    const before = freeVariables.slice(0, index).map((each) => `${each}="$${each}"`).join(',')
    return { name, label: `${name[0]!.toUpperCase()}${name.slice(1)}`, query: `label_values(pavior_instance_healthy${before ? `{${before}}` : ''}, ${name})` }
  })
  return [{ name: 'source', label: 'Source', type: 'datasource', query: 'prometheus' }, ...[...free, ...(spec.variables ?? [])].map(variableOf)]
}

function variableOf({ name, label, query, values, includeAll = false, default: usual }: DashboardVariable): Record<string, unknown> {
  const current = usual === undefined ? (includeAll ? { text: 'All', value: '$__all' } : {}) : { text: usual, value: usual }
  const all = { includeAll, allValue: includeAll ? '.*' : null, current }
  if (values) return { name, label: label ?? name, type: 'custom', query: values.map((value) => value.replaceAll(',', '\\,')).join(','), multi: false, ...all }
  return { name, label: label ?? name, type: 'query', datasource: source, query: { query, refId: name }, refresh: 2, sort: 1, multi: false, ...all }
}
