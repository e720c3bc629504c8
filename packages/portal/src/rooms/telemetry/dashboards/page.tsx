/** A dashboard: what can be chosen above, panels below; the address keeps time, choices and which panel stands alone. */
import { Button, Group, Select, Text } from '@mantine/core'
import { IconCopy, IconPencil } from '@tabler/icons-react'
import type { DashboardSpec, Panel } from '@pavior/contract'
import { useParams } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { useSearchParam, useSearchParams, useSetSearchParams } from '../../../frame/search-params.ts'
import { mayAs, useSession } from '../../../frame/session.ts'
import { useShortcuts } from '../../../frame/shortcuts.ts'
import { EmptyState } from '../../../pieces/empty-state.tsx'
import { ErrorState } from '../../../pieces/error-state.tsx'
import { PageHeader } from '../../../pieces/page-header.tsx'
import { PageSkeleton } from '../../../pieces/page-skeleton.tsx'
import { TimeRangePicker } from '../../../pieces/time-range.tsx'
import type { PanelPlace } from './answer.ts'
import { SaveCopy } from './create.tsx'
import { EditGrid } from './edit-grid.tsx'
import { More } from './more.tsx'
import { useUnsaved } from './unsaved.tsx'
import { PanelView } from './panel.tsx'
import { isReady, useDashboard, type Dashboard } from './reads.ts'
import { useFigures, useMarkers } from './surroundings.ts'
import { useShownTime } from './time.ts'
import { useVariables, type Choice } from './variables.ts'
import classes from './dashboards.module.css'

export const crumbs = [{ label: 'Dashboards', to: '/dashboards' }]

export default function DashboardPage() {
  const { team = '', name = '' } = useParams({ strict: false })
  const { spec, resource, loading, error } = useDashboard(team, name)
  if (error) return <ErrorState error={error} />
  if (spec) return <Shown key={`${team}/${name}`} team={team} name={name} spec={spec} resource={resource} />
  if (loading) return <PageSkeleton />
  return (
    <>
      <PageHeader title={name} crumbs={crumbs} />
      <EmptyState title={`There is no dashboard ${name} in team ${team}.`} text="It may have been deleted. What there is:" commands={[`pavior dashboard list --team ${team}`]} />
    </>
  )
}

interface ShownProps {
  team: string
  name: string
  spec: DashboardSpec
  resource: Dashboard | undefined
}

function Shown({ team, name, spec: saved, resource }: ShownProps) {
  const session = useSession()
  const may = mayAs(session, 'developer', team)
  const [copying, setCopying] = useState(false)
  const [edit, setEdit] = useSearchParam('edit')
  const editing = edit !== undefined && may && resource !== undefined
  // What is being changed is what is asked for, too.
  const { draft, setDraft, change, leave, question } = useUnsaved(editing)
  const spec = editing ? (draft ?? saved) : saved
  const time = useShownTime(spec.range)
  const variables = useVariables(spec, team, time)
  const stop = (): void => {
    leave()
    setEdit(undefined)
  }
  useShortcuts(may && resource && !editing ? [{ keys: 'e', label: `Change ${saved.title}`, group: 'Dashboard', run: () => setEdit('1') }] : [])
  return (
    <>
      <PageHeader
        title={spec.title}
        crumbs={[...crumbs, { label: team, to: `/teams/${encodeURIComponent(team)}` }]}
        text={spec.description}
        actions={
          <>
            {!editing && (
              <>
                <More team={team} name={name} resource={resource} may={may} />
                {may && <Button size="xs" variant="default" leftSection={<IconCopy size={14} />} onClick={() => setCopying(true)}>Save a copy</Button>}
                {may && resource && <Button size="xs" variant="default" leftSection={<IconPencil size={14} />} onClick={() => setEdit('1')}>Change it</Button>}
              </>
            )}
            <TimeRangePicker usual={spec.range} />
          </>
        }
      />
      <Choices choices={variables.choices} />
      {variables.error && <ErrorState error={variables.error} />}
      {variables.values && <Panels place={{ team, values: variables.values, time }} spec={spec} resource={editing ? resource : undefined} setDraft={setDraft} changeDraft={change} stop={stop} startEdit={may && resource ? () => setEdit('1') : undefined} />}
      {!variables.values && variables.choices.some(({ options }) => options.length === 0) && <EmptyState title="There is no app to show yet." text="Panels are about an app; the first deployment makes one." commands={['pavior deploy']} />}
      {question}
      <SaveCopy opened={copying} close={() => setCopying(false)} team={team} spec={saved} name={isReady(name) ? `our-${name}` : `${name}-copy`} />
    </>
  )
}

function Choices({ choices }: { choices: Choice[] }) {
  const set = useSetSearchParams()
  if (choices.length === 0) return null
  return (
    <Group gap="xs" mb="xs">
      {choices.map(({ name, label, options, value }) => (
        <Select key={name} size="xs" w={180} label={label} data={options} value={value ?? null} searchable={options.length > 8} allowDeselect={false} onChange={(next) => set({ [`var-${name}`]: next ?? undefined })} />
      ))}
    </Group>
  )
}

interface PanelsProps {
  place: PanelPlace
  spec: DashboardSpec
  /** While it is changed. */
  resource: Dashboard | undefined
  setDraft: (spec: DashboardSpec) => void
  changeDraft: (change: (now: DashboardSpec) => DashboardSpec) => void
  stop: () => void
  startEdit: (() => void) | undefined
}

function Panels({ place, spec, resource, setDraft, changeDraft, stop, startEdit }: PanelsProps) {
  const { panel: alone } = useSearchParams()
  const [, setAlone] = useSearchParam('panel')
  const grid = useRef<HTMLDivElement>(null)
  const figures = useFigures(place, spec)
  const markers = useMarkers(place)
  const chosen = spec.panels.find(({ title }) => title === alone)
  const underPointer = (): string | undefined => grid.current?.querySelector<HTMLElement>('[data-title]:hover, [data-title]:focus-within')?.dataset.title
  useShortcuts([
    { keys: 'v', label: 'See the panel under the pointer alone', group: 'Dashboard', run: () => setAlone(chosen ? undefined : underPointer(), { push: true }) },
    ...(chosen ? [{ keys: 'Escape', label: 'Back to all panels', group: 'Dashboard', run: () => setAlone(undefined, { push: true }) }] : []),
  ])
  const shownOf = (panel: Panel) => ({ panel, place, markers, figure: panel.figure ? figures?.[panel.figure] : undefined })
  if (resource) return <EditGrid resource={resource} spec={spec} setDraft={setDraft} changeDraft={changeDraft} stop={stop} shownOf={shownOf} team={place.team} />
  if (chosen) return <PanelView {...shownOf(chosen)} alone view={() => setAlone(undefined, { push: true })} />
  return (
    <div ref={grid} className={classes.grid}>
      {spec.panels.map((panel) => (
        <PanelView key={panel.title} {...shownOf(panel)} view={() => setAlone(panel.title, { push: true })} edit={startEdit} />
      ))}
      {spec.panels.length === 0 && <Text size="sm" c="dimmed">There is no panel yet. {startEdit ? 'Change it to add one, or add what you find in Metrics.' : ''}</Text>}
    </div>
  )
}
