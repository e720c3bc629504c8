/** A dashboard that is being changed: moves of its panels, and putting two people's changes together. Pure. */
import { sizeOf, type DashboardSpec, type Panel } from '@pavior/contract'
import { mergeThree } from '../../../pieces/three-way.ts'

const mostColumns = 12
const rows = { least: 2, most: 20 }

/** Puts the panel of a title where another place is; places are those without it. */
export function moved(spec: DashboardSpec, title: string, place: number): DashboardSpec {
  const panel = spec.panels.find((one) => one.title === title)
  if (!panel) return spec
  const others = spec.panels.filter((one) => one !== panel)
  const at = Math.min(others.length, Math.max(0, place))
  return { ...spec, panels: [...others.slice(0, at), panel, ...others.slice(at)] }
}

/** One place to the front or the back. */
export function shifted(spec: DashboardSpec, title: string, by: -1 | 1): DashboardSpec {
  return moved(spec, title, spec.panels.findIndex((one) => one.title === title) + by)
}

export function resized(spec: DashboardSpec, title: string, by: { width?: number; height?: number }): DashboardSpec {
  return changed(spec, title, (panel) => {
    const { width, height } = sizeOf(panel)
    return { ...panel, width: Math.min(mostColumns, Math.max(1, width + (by.width ?? 0))), height: Math.min(rows.most, Math.max(rows.least, height + (by.height ?? 0))) }
  })
}

export function changed(spec: DashboardSpec, title: string, change: (panel: Panel) => Panel): DashboardSpec {
  return { ...spec, panels: spec.panels.map((panel) => (panel.title === title ? change(panel) : panel)) }
}

export function without(spec: DashboardSpec, title: string): DashboardSpec {
  return { ...spec, panels: spec.panels.filter((panel) => panel.title !== title) }
}

/** Back where it was, whatever was changed since. */
export function restored(spec: DashboardSpec, panel: Panel, place: number): DashboardSpec {
  const back = { ...panel, title: freeTitle(spec, panel.title) }
  return moved({ ...spec, panels: [...spec.panels, back] }, back.title, place)
}

/** A title that no other panel has. */
export function freeTitle(spec: DashboardSpec, wanted: string): string {
  const taken = new Set(spec.panels.map(({ title }) => title))
  for (let count = 1; ; count++) {
    const tried = count === 1 ? wanted : `${wanted} (${count})`
    if (!taken.has(tried)) return tried
  }
}

/** Only what a panel of its kind has: what was written for another kind would be refused. */
export function fitting({ queries, figure, list, text, ...panel }: Panel): Panel {
  if (panel.kind === 'text') return { ...panel, text: text ?? '' }
  if (panel.kind === 'list') return { ...panel, list: list ?? 'alerts' }
  if (panel.kind === 'stat' && figure !== undefined) return { ...panel, figure }
  return { ...panel, queries: queries ?? [{ query: '' }] }
}

/** What both changed since then, panel by panel; mine is kept where both changed the same. */
export function merged(base: DashboardSpec, mine: DashboardSpec, theirs: DashboardSpec): { spec: DashboardSpec; conflicts: string[] } {
  const { value, conflicts } = mergeThree(byTitle(base), byTitle(mine), byTitle(theirs))
  const { panels, ...rest } = value as Omit<DashboardSpec, 'panels'> & { panels: Record<string, Panel> }
  const order = [...new Set([...mine.panels, ...theirs.panels].map(({ title }) => title))]
  return { spec: { ...rest, panels: order.flatMap((title) => panels[title] ?? []) }, conflicts: conflicts.map((path) => path.replace(/^panels\./, '')) }
}

function byTitle({ panels, ...rest }: DashboardSpec): object {
  return { ...rest, panels: Object.fromEntries(panels.map((panel) => [panel.title, panel])) }
}
