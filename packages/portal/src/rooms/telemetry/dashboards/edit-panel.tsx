/** The form of one panel, beside the dashboard: what is changed shows at once. */
import { ActionIcon, Button, Checkbox, Drawer, Group, NumberInput, Select, Stack, Textarea, TextInput } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { isInstant, panelFigures, panelKinds, panelLists, panelUnits, sizeOf, thresholdTones, type Panel, type PanelQuery } from '@pavior/contract'
import { useState } from 'react'
import { ExpressionField } from '../expression-field.tsx'
import { fitting } from './draft.ts'

interface EditPanelProps {
  panel: Panel
  team: string
  /** Of the other panels. */
  titles: string[]
  change: (panel: Panel) => void
  close: () => void
}

const kindNames: Record<Panel['kind'], string> = { line: 'Lines over time', area: 'Areas over time', stat: 'A figure', bar: 'Bars beside each other', table: 'A table', text: 'Text', list: 'A live list' }
const listNames: Record<NonNullable<Panel['list']>, string> = { alerts: 'Alerts', incidents: 'Incidents', slos: 'Objectives', deployments: 'Deployments', oncall: 'Who is on call', changes: 'Changes told from elsewhere', logs: 'Log lines by level', traces: 'Slowest traces' }
const figureNames: Record<NonNullable<Panel['figure']>, string> = { deploymentsPerDay: 'Deployments a day', deploymentsKept: 'Deployments kept without rollback', pushToLive: 'From push to live', slosKept: 'Objectives kept', budgetLeft: 'Budget left', incidents: 'Incidents', timeToRestore: 'Time to restore', alertsFiring: 'Alerts that fire', incidentsOpen: 'Open incidents' }
const unitNames: Record<NonNullable<Panel['unit']>, string> = { short: 'Numbers', ratio: 'A share from 0 to 1, as %', percent: '%', seconds: 'Seconds', milliseconds: 'Milliseconds', bytes: 'Bytes', bytesPerSecond: 'Bytes a second', perSecond: 'A second' }

export function EditPanel({ panel, team, titles, change, close }: EditPanelProps) {
  const { width, height } = sizeOf(panel)
  const set = (more: Partial<Panel>): void => change(fitting({ ...panel, ...more }))
  return (
    <Drawer opened onClose={close} position="right" size="md" withOverlay={false} lockScroll={false} trapFocus={false} title={`Change ${panel.title}`} closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="sm">
        <TitleField title={panel.title} titles={titles} rename={(title) => set({ title })} />
        <Select label="Shown as" data={panelKinds.map((value) => ({ value, label: kindNames[value] }))} value={panel.kind} onChange={(kind) => kind && set({ kind: kind as Panel['kind'] })} allowDeselect={false} />
        {panel.kind === 'list' && <Select label="What it lists" data={panelLists.map((value) => ({ value, label: listNames[value] }))} value={panel.list ?? null} onChange={(list) => list && set({ list: list as NonNullable<Panel['list']> })} allowDeselect={false} />}
        {panel.kind === 'text' && <Textarea label="Text" description="Markdown" autosize minRows={4} maxRows={20} value={panel.text ?? ''} onChange={({ currentTarget }) => set({ text: currentTarget.value })} />}
        {panel.kind === 'stat' && <FigureField panel={panel} set={set} change={change} />}
        {panel.queries && <Queries panel={panel} team={team} queries={panel.queries} set={(queries) => set({ queries })} />}
        {panel.kind !== 'text' && panel.kind !== 'list' && <Select label="Unit" data={panelUnits.map((value) => ({ value, label: unitNames[value] }))} value={panel.unit ?? 'short'} onChange={(unit) => unit && set({ unit: unit as NonNullable<Panel['unit']> })} allowDeselect={false} />}
        {panel.kind !== 'text' && panel.kind !== 'list' && <Thresholds thresholds={panel.thresholds ?? []} set={(thresholds) => change(withThresholds(panel, thresholds))} />}
        <Group grow>
          <NumberInput label="Columns, of 12" min={1} max={12} value={width} onChange={(value) => set({ width: Number(value) || width })} />
          <NumberInput label="Rows of 40 pixels" min={2} max={20} value={height} onChange={(value) => set({ height: Number(value) || height })} />
        </Group>
        <Textarea label="What it says" description="For somebody who sees it for the first time." autosize value={panel.description ?? ''} onChange={({ currentTarget }) => change(withDescription(panel, currentTarget.value))} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>Done</Button>
        </Group>
      </Stack>
    </Drawer>
  )
}

/** Renamed when the field is left: a title is what the panel is known by. */
function TitleField({ title, titles, rename }: { title: string; titles: string[]; rename: (title: string) => void }) {
  const [text, setText] = useState(title)
  const wanted = text.trim()
  const error = wanted === '' ? 'Give it a title.' : titles.includes(wanted) ? 'Another panel is called so.' : undefined
  return <TextInput data-autofocus label="Title" maxLength={120} value={text} error={error} onChange={({ currentTarget }) => setText(currentTarget.value)} onBlur={() => !error && wanted !== title && rename(wanted)} />
}

const byQueries = 'queries'

function FigureField({ panel, set, change }: { panel: Panel; set: (more: Partial<Panel>) => void; change: (panel: Panel) => void }) {
  const choose = (value: string | null): void => {
    const { figure: _figure, ...rest } = panel
    if (value === byQueries) change(fitting({ ...rest, queries: rest.queries ?? [{ query: '' }] }))
    else if (value) set({ figure: value as NonNullable<Panel['figure']> })
  }
  return <Select label="Figure" data={[{ value: byQueries, label: 'Asked in PromQL' }, ...panelFigures.map((value) => ({ value, label: figureNames[value] }))]} value={panel.figure ?? byQueries} onChange={choose} allowDeselect={false} />
}

function Queries({ panel, team, queries, set }: { panel: Panel; team: string; queries: PanelQuery[]; set: (queries: PanelQuery[]) => void }) {
  const change = (index: number, query: PanelQuery): void => set(queries.map((one, place) => (place === index ? query : one)))
  return (
    <>
      {queries.map((query, index) => (
        <QueryFields key={index} panel={panel} team={team} query={query} number={queries.length > 1 ? index + 1 : undefined} change={(next) => change(index, next)} remove={queries.length > 1 ? () => set(queries.filter((_, place) => place !== index)) : undefined} />
      ))}
      {queries.length < 12 && (
        <Group>
          <Button size="xs" variant="default" onClick={() => set([...queries, { query: '' }])}>Add a query</Button>
        </Group>
      )}
    </>
  )
}

interface QueryFieldsProps {
  panel: Panel
  team: string
  query: PanelQuery
  number: number | undefined
  change: (query: PanelQuery) => void
  remove: (() => void) | undefined
}

/** Asked when Enter is pressed or the field is left, not at every letter. */
function QueryFields({ panel, team, query, number, change, remove }: QueryFieldsProps) {
  const [text, setText] = useState(query.query)
  const done = (): void => {
    if (text.trim() !== query.query) change({ ...query, query: text.trim() })
  }
  return (
    <div onBlur={done}>
      <ExpressionField value={text} onChange={setText} onSubmit={done} of={{ team }} {...(number === undefined ? {} : { label: `Expression ${number}` })} />
      <Group gap="xs" mt={4} align="end">
        <TextInput size="xs" style={{ flex: 1 }} label="Legend" placeholder="{{app}}" value={query.legend ?? ''} onChange={({ currentTarget: { value } }) => change(value === '' ? withoutLegend(query) : { ...query, legend: value })} />
        {panel.kind !== 'line' && panel.kind !== 'area' && <Checkbox size="xs" mb={8} label="Over the time" checked={!isInstant(panel, query)} onChange={({ currentTarget }) => change({ ...query, instant: !currentTarget.checked })} />}
        {remove && <ActionIcon variant="subtle" color="gray" mb={2} onClick={remove} aria-label={`Take expression ${number} away`}><IconX size={14} /></ActionIcon>}
      </Group>
    </div>
  )
}

function withoutLegend({ legend: _legend, ...query }: PanelQuery): PanelQuery {
  return query
}

function withDescription({ description: _description, ...panel }: Panel, description: string): Panel {
  return description === '' ? panel : { ...panel, description }
}

type Threshold = NonNullable<Panel['thresholds']>[number]

function withThresholds({ thresholds: _thresholds, ...panel }: Panel, thresholds: Threshold[]): Panel {
  return thresholds.length === 0 ? panel : { ...panel, thresholds }
}

function Thresholds({ thresholds, set }: { thresholds: Threshold[]; set: (thresholds: Threshold[]) => void }) {
  const change = (index: number, more: Partial<Threshold>): void => set(thresholds.map((one, place) => (place === index ? { ...one, ...more } : one)))
  return (
    <Stack gap={4}>
      {thresholds.map(({ value, tone }, index) => (
        <Group key={index} gap="xs" wrap="nowrap">
          <NumberInput size="xs" style={{ flex: 1 }} aria-label={`From value ${index + 1}`} prefix="from " value={value} onChange={(next) => typeof next === 'number' && change(index, { value: next })} />
          <Select size="xs" w={90} aria-label={`Tone ${index + 1}`} data={[...thresholdTones]} value={tone} onChange={(next) => next && change(index, { tone: next as Threshold['tone'] })} allowDeselect={false} />
          <ActionIcon variant="subtle" color="gray" onClick={() => set(thresholds.filter((_, place) => place !== index))} aria-label={`Take threshold ${index + 1} away`}><IconX size={14} /></ActionIcon>
        </Group>
      ))}
      {thresholds.length < 8 && (
        <Group>
          <Button size="xs" variant="default" onClick={() => set([...thresholds, { value: 0, tone: 'bad' }])}>Add a threshold</Button>
        </Group>
      )}
    </Stack>
  )
}
