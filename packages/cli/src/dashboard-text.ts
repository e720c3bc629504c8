/** A dashboard as text: figures, lines over time, and where the rest is seen. Pure. */
import { figureUnits, isInstant, legendText, queriesOf, toneOf, unitScales, type DashboardSpec, type Figures, type Panel, type PanelUnit, type QueryAnswer } from '@pavior/contract'
import { figure, labelsText, sparkline } from './metric-text.ts'
import { size } from './output.ts'

const elsewhere: Record<NonNullable<Panel['list']>, string> = { alerts: 'pavior alerts list', incidents: 'pavior incident list', slos: 'pavior slo list', deployments: 'pavior releases', oncall: 'pavior oncall list', changes: 'the portal', logs: 'pavior logs', traces: 'pavior traces' }
/** More series of a panel say nothing in a terminal. */
const mostLines = 8

export function shownDashboard(spec: DashboardSpec, answers: readonly QueryAnswer[], figures: Figures): string {
  const asked = queriesOf(spec)
  const blocks = spec.panels.map((panel) => {
    if (panel.kind === 'text') return [panel.title, ...(panel.text ?? '').split('\n').map((line) => `  ${line}`)]
    if (panel.kind === 'list') return [panel.title, `  ${elsewhere[panel.list!]}`]
    if (panel.figure) return [panel.title, `  ${figureLine(panel, figures)}`]
    return [panel.title, ...asked.flatMap((each, index) => (each.panel === panel ? linesOf(panel, each.query, answers[index]) : []))]
  })
  return [spec.title, ...blocks.map((lines) => lines.join('\n'))].join('\n\n')
}

function figureLine({ figure: name, unit, thresholds }: Panel, figures: Figures): string {
  const found = figures[name!]
  if (found?.value === undefined) return `-   ${found?.of ?? ''}`.trimEnd()
  return `${found.atLeast ? 'at least ' : ''}${valueText(found.value, unit ?? figureUnits[name!])}${toneText(found.value, thresholds)}   ${found.of}`
}

function linesOf(panel: Panel, query: NonNullable<Panel['queries']>[number], answer: QueryAnswer | undefined): string[] {
  if (!answer) return ['  no answer']
  if ('error' in answer) return [`  ${answer.error.code} ${answer.error.message}`]
  if (answer.series.length === 0) return ['  nothing in this time']
  const named = answer.series.map(({ labels, values }) => ({ name: (query.legend && legendText(query.legend, labels).trim()) || (Object.keys(labels).length === 0 ? '' : labelsText(labels)), values }))
  const width = Math.max(...named.map(({ name }) => name.length))
  const shown = named.slice(0, mostLines).map(({ name, values }) => {
    const last = values.findLast((value) => value !== null) ?? null
    const text = `${last === null ? '-' : valueText(last, panel.unit ?? 'short')}${toneText(last, panel.thresholds)}`
    const line = isInstant(panel, query) ? '' : `${sparkline(values.map((value) => value ?? NaN))}  `
    return `  ${width > 0 ? `${name.padEnd(width)}  ` : ''}${line}${text}`
  })
  return answer.found > shown.length ? [...shown, `  and ${answer.found - shown.length} more`] : shown
}

function toneText(value: number | null, thresholds: Panel['thresholds']): string {
  const tone = toneOf(value, thresholds)
  return tone === 'bad' || tone === 'warn' ? ` (${tone})` : ''
}

/** `12.3 %`, `340 ms`, `1.2 h`. */
export function valueText(value: number, unit: PanelUnit): string {
  const { factor, unit: written } = unitScales[unit]
  const scaled = value * factor
  if (written === 'ms') return durationText(scaled)
  if (written === 'bytes') return size(Math.round(scaled))
  if (written === 'bytes/s') return `${size(Math.round(scaled))}/s`
  return `${figure(scaled, '')}${written === '%' ? ' %' : written}`
}

function durationText(ms: number): string {
  if (ms < 1000) return `${figure(ms, '')} ms`
  if (ms < 120_000) return `${figure(ms / 1000, '')} s`
  return ms < 7_200_000 ? `${figure(ms / 60_000, '')} min` : `${figure(ms / 3_600_000, '')} h`
}
