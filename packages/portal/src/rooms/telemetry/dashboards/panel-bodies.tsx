/** What a panel with queries shows: a chart, a figure, bars or a table. */
import { toneOf, unitScales, type FigureAnswer, type Panel } from '@pavior/contract'
import { figureUnits } from '@pavior/contract'
import { ScrollArea, Table, Text } from '@mantine/core'
import { useMemo } from 'react'
import { scaleText } from '../../../pieces/number-text.ts'
import { Sparkline } from '../../../pieces/sparkline.tsx'
import { TimeSeries, type Marker } from '../../../pieces/time-series.tsx'
import type { PanelAnswer, PanelRow } from './answer.ts'
import classes from './dashboards.module.css'

const syncName = 'dashboard'

interface BodyProps {
  panel: Panel
  answer: PanelAnswer
}

export function ChartBody({ panel, answer, markers, zoom }: BodyProps & { markers: Marker[]; zoom: (from: number, until: number) => void }) {
  const { factor, unit } = unitScales[panel.unit ?? 'short']
  const filled = panel.kind === 'area'
  const lines = useMemo(() => answer.rows.map(({ label, values }) => ({ label, values, ...(filled ? { fill: true } : {}) })), [answer.rows, filled])
  const limits = useMemo(() => (panel.thresholds ?? []).map(({ value, tone }) => ({ value: value * factor, tone })), [panel.thresholds, factor])
  return <TimeSeries untitled title={panel.title} times={answer.times} lines={lines} unit={unit} markers={markers} limits={limits} height="fill" sync={syncName} onZoom={zoom} />
}

/** One figure, or a few beside each other. */
export function StatBody({ panel, answer }: BodyProps) {
  const { factor, unit } = unitScales[panel.unit ?? 'short']
  return (
    <div className={classes.stats}>
      {answer.rows.map((row) => {
        const last = lastOf(row)
        const tone = toneOf(last === null ? null : last / factor, panel.thresholds)
        return (
          <div key={row.label} className={classes.stat} data-tone={tone}>
            <b>{figureText(last, unit)}</b>
            {answer.rows.length > 1 && <span>{row.label}</span>}
            {row.values.length > 1 && <Sparkline values={row.values} label={`${row.label} over the time shown`} />}
          </div>
        )
      })}
    </div>
  )
}

/** What is reckoned from resources; undefined while it is. */
export function FigureBody({ panel, figure }: { panel: Panel; figure: FigureAnswer | undefined }) {
  const { factor, unit } = unitScales[panel.unit ?? figureUnits[panel.figure!]]
  const value = figure?.value
  return (
    <div className={classes.stats}>
      <div className={classes.stat} data-tone={toneOf(value, panel.thresholds)}>
        <b>{figure ? `${figure.atLeast ? 'at least ' : ''}${figureText(value === undefined ? null : value * factor, unit)}` : ' '}</b>
        <span>{figure ? `${figure.of}${figure.atLeast ? '; older ones are forgotten' : ''}` : ' '}</span>
      </div>
    </div>
  )
}

function figureText(value: number | null, unit: string): string {
  if (value !== null && unit === 'ms' && Math.abs(value) >= 120_000) return value >= 7_200_000 ? `${scaleText(value / 3_600_000, '')} h` : `${scaleText(value / 60_000, '')} min`
  return scaleText(value, unit)
}

function lastOf({ values }: PanelRow): number | null {
  return values.findLast((value) => value !== null) ?? null
}

export function BarBody({ panel, answer }: BodyProps) {
  const { factor, unit } = unitScales[panel.unit ?? 'short']
  const rows = answer.rows.map((row) => ({ ...row, last: lastOf(row) })).toSorted((one, other) => (other.last ?? -Infinity) - (one.last ?? -Infinity))
  const most = Math.max(...rows.map(({ last }) => last ?? 0), Number.MIN_VALUE)
  return (
    <ScrollArea h="100%" type="auto">
      <ul className={classes.bars} aria-label={panel.title}>
        {rows.map(({ label, last }) => (
          <li key={label} data-tone={toneOf(last === null ? null : last / factor, panel.thresholds)}>
            <span className={classes.barLabel}>{label}</span>
            <span className={classes.barFigure}>{scaleText(last, unit)}</span>
            <span className={classes.bar} style={{ width: `${Math.max(0, ((last ?? 0) / most) * 100)}%` }} />
          </li>
        ))}
      </ul>
    </ScrollArea>
  )
}

/** Labels that tell rows apart as columns, then the value of each query's series. */
export function TableBody({ panel, answer }: BodyProps) {
  const { unit } = unitScales[panel.unit ?? 'short']
  const labels = [...new Set(answer.rows.flatMap((row) => Object.keys(row.labels)))].filter((label) => label !== '__name__' && (answer.rows.length === 1 || answer.rows.some((row) => row.labels[label] !== answer.rows[0]!.labels[label])))
  const rows = answer.rows.toSorted((one, other) => (lastOf(other) ?? -Infinity) - (lastOf(one) ?? -Infinity))
  return (
    <ScrollArea h="100%" type="auto">
      <Table aria-label={panel.title} className={classes.table}>
        <Table.Thead>
          <Table.Tr>
            {labels.length === 0 ? <Table.Th>series</Table.Th> : labels.map((label) => <Table.Th key={label}>{label}</Table.Th>)}
            <Table.Th ta="right">value</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.label}>
              {labels.length === 0 ? <Table.Td>{row.label}</Table.Td> : labels.map((label) => <Table.Td key={label}>{row.labels[label]}</Table.Td>)}
              <Table.Td ta="right">{scaleText(lastOf(row), unit)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea>
  )
}

/** Why there is less than was asked for. The others of the panel are shown all the same. */
export function Faults({ answer }: { answer: PanelAnswer }) {
  return answer.faults.map(({ query, code, message, fix }) => (
    <Text key={`${query} ${message}`} size="xs" className={classes.fault} role="alert">
      <b>{code}</b> {query === undefined ? '' : `Query ${query}: `}
      {message} {fix}
    </Text>
  ))
}
