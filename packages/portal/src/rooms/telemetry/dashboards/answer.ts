/** What the queries of a panel give. */
import { fillQuery, isInstant, legendText, timeValues, unitScales, type Panel, type QueryAnswer } from '@pavior/contract'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { labelText } from '../lines.ts'
import { ask } from './batch.ts'
import type { ShownTime } from './time.ts'

export interface PanelRow {
  label: string
  labels: Record<string, string>
  /** As they are written: a ratio times 100. One for each step, or the only one. */
  values: (number | null)[]
}

export interface PanelFault {
  /** Which query of the panel, from 1; undefined when it has only one. */
  query: number | undefined
  code: string
  message: string
  fix?: string
}

export interface PanelAnswer {
  rows: PanelRow[]
  /** Series that there were; only those with the most are shown. */
  found: number
  faults: PanelFault[]
  /** What was asked, with variables put in. */
  asked: string[]
  times: number[]
  pending: boolean
}

export interface PanelPlace {
  team: string
  values: Record<string, string>
  time: ShownTime
}

/** Asks while the panel is in sight; what it had stays until there is something new. */
export function usePanelAnswer(panel: Panel, { team, values, time }: PanelPlace, inSight: boolean): PanelAnswer {
  const { from, until, step } = time
  const queries = useMemo(() => filledQueries(panel, values, time), [panel, values, time.from, time.until, time.step])
  const { data, error, isPending } = useQuery({
    queryKey: ['panel', team, from, until, step, queries],
    queryFn: ({ signal }) => Promise.all(queries.map((query) => ask(team, { from, until, step }, query, signal))),
    enabled: inSight && queries.length > 0,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    retry: false,
  })
  const times = useMemo(() => Array.from({ length: Math.floor((until - from) / step) + 1 }, (_, index) => from + index * step), [from, until, step])
  const shown = useMemo(() => (data ? answerOf(panel, data) : { rows: [], found: 0, faults: [] }), [panel, data])
  const faults = error ? [{ query: undefined, code: 'UNREACHABLE', message: error.message }] : shown.faults
  return { ...shown, faults, asked: queries.map(({ query }) => query), times, pending: isPending && queries.length > 0 }
}

export function filledQueries(panel: Panel, values: Record<string, string>, { lengthMs, step }: Pick<ShownTime, 'lengthMs' | 'step'>): { query: string; instant: boolean }[] {
  const all = { ...values, ...timeValues(lengthMs / 1000, step) }
  return (panel.queries ?? []).map((query) => ({ query: fillQuery(query.query, all).text, instant: isInstant(panel, query) }))
}

/** Series named and scaled. Pure. */
export function answerOf(panel: Panel, answers: readonly QueryAnswer[]): Pick<PanelAnswer, 'rows' | 'found' | 'faults'> {
  const { factor } = unitScales[panel.unit ?? 'short']
  const several = answers.length > 1
  const given = answers.flatMap((answer, index) => ('series' in answer ? answer.series.map((series) => ({ ...series, legend: panel.queries?.[index]?.legend })) : []))
  const shared = commonLabels(given.map(({ labels }) => labels))
  const rows = given.map(({ labels, values, legend }) => ({ label: (legend && legendText(legend, labels).trim()) || labelText(labels, shared), labels, values: factor === 1 ? values : values.map((value) => (value === null ? null : value * factor)) }))
  return {
    rows: distinct(rows),
    found: answers.reduce((sum, answer) => sum + ('series' in answer ? answer.found : 0), 0),
    faults: answers.flatMap((answer, index) => ('error' in answer ? [{ query: several ? index + 1 : undefined, ...answer.error }] : [])),
  }
}

/** Labels with one value in all series tell nothing apart. */
function commonLabels([first, ...others]: Record<string, string>[]): Set<string> {
  if (!first || others.length === 0) return new Set()
  return new Set(Object.keys(first).filter((label) => others.every((labels) => labels[label] === first[label])))
}

/** Two of one name would be one line. */
function distinct(rows: PanelRow[]): PanelRow[] {
  const seen = new Map<string, number>()
  return rows.map((row) => {
    const before = seen.get(row.label) ?? 0
    seen.set(row.label, before + 1)
    return before === 0 ? row : { ...row, label: `${row.label} (${before + 1})` }
  })
}
