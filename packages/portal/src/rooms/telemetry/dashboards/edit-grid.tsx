/** A dashboard while it is changed: panels are moved and sized by mouse and by keyboard, added, changed and taken away. */
import { Alert, Button, Group, Text } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import type { DashboardSpec, Panel } from '@pavior/contract'
import { useEffect, useRef, useState, type DragEvent } from 'react'
import { ApiError, call, resourcePath } from '../../../frame/api.ts'
import { useShortcuts } from '../../../frame/shortcuts.ts'
import { ErrorState } from '../../../pieces/error-state.tsx'
import { showUndo } from '../../../pieces/undo.tsx'
import { useAct } from '../../../pieces/use-act.ts'
import { changed, freeTitle, merged, moved, resized, restored, shifted, without } from './draft.ts'
import { EditPanel } from './edit-panel.tsx'
import { EditSettings } from './edit-settings.tsx'
import { Handles } from './handles.tsx'
import { PanelView, type PanelProps } from './panel.tsx'
import type { Dashboard } from './reads.ts'
import classes from './dashboards.module.css'

interface EditGridProps {
  resource: Dashboard
  spec: DashboardSpec
  setDraft: (spec: DashboardSpec) => void
  changeDraft: (change: (now: DashboardSpec) => DashboardSpec) => void
  stop: () => void
  shownOf: (panel: Panel) => PanelProps
  team: string
}

export function EditGrid({ resource, spec, setDraft, changeDraft, stop, shownOf, team }: EditGridProps) {
  const { open, opening, setOpen, follow } = useOpen()
  const [settings, setSettings] = useState(false)
  const [over, setOver] = useState<string>()
  const { state, save, bringIn } = useSaving(resource, spec, setDraft, stop)
  useShortcuts([{ keys: 'mod+s', label: 'Save it', group: 'Dashboard', run: save }])
  const add = (): void => {
    const title = freeTitle(spec, 'New panel')
    setDraft({ ...spec, panels: [...spec.panels, { title, kind: 'line', queries: [{ query: '' }] }] })
    setOpen(title)
  }
  const remove = (title: string): void => {
    const place = spec.panels.findIndex((panel) => panel.title === title)
    const gone = spec.panels[place]!
    setDraft(without(spec, title))
    showUndo({ message: `${title} is taken away.`, undo: async () => changeDraft((now) => restored(now, gone, place)) })
  }
  const drop = (event: DragEvent, on: Panel): void => {
    event.preventDefault()
    setOver(undefined)
    setDraft(moved(spec, event.dataTransfer.getData('text/plain'), spec.panels.indexOf(on)))
  }
  const grid = useRef<HTMLDivElement>(null)
  useEffect(() => {
    // A new one stands at the end, and only what is in sight is asked for.
    if (open !== undefined) grid.current?.querySelector(`[data-title="${CSS.escape(open)}"]`)?.scrollIntoView({ block: 'nearest' })
  }, [opening])
  const edited = spec.panels.find(({ title }) => title === open)
  return (
    <>
      <Group gap="xs" mb="xs" role="toolbar" aria-label="Changing the dashboard">
        <Button size="xs" leftSection={<IconPlus size={14} />} variant="default" onClick={add}>Add a panel</Button>
        <Button size="xs" variant="default" onClick={() => setSettings(true)}>Title and variables</Button>
        <Text size="xs" c="dimmed" style={{ flex: 1 }} visibleFrom="md">Drag a panel by its grip; or focus the grip: arrows move it, Shift with arrows sizes it.</Text>
        <Button size="xs" variant="subtle" color="gray" onClick={stop}>Leave it as it was</Button>
        <Button size="xs" loading={state.busy} onClick={save}>Save</Button>
      </Group>
      {state.overtaken && <Overtaken bringIn={bringIn} />}
      {state.kept.length > 0 && <Alert color="yellow" mb="xs" title="Both of you changed the same">Yours is kept in {state.kept.join(', ')}. Look it over before you save.</Alert>}
      {state.error && <ErrorState error={state.error} />}
      <div ref={grid} className={classes.grid}>
        {spec.panels.map((panel) => (
          <div key={panel.title} className={classes.slot} onDragOver={(event) => { event.preventDefault(); setOver(panel.title) }} onDragEnd={() => setOver(undefined)} onDrop={(event) => drop(event, panel)} data-over={over === panel.title}>
            <PanelView
              {...shownOf(panel)}
              edit={() => setOpen(panel.title)}
              handles={<Handles title={panel.title} shift={(by) => setDraft(shifted(spec, panel.title, by))} resize={(by) => setDraft(resized(spec, panel.title, by))} remove={() => remove(panel.title)} open={() => setOpen(panel.title)} />}
            />
          </div>
        ))}
      </div>
      {edited && (
        <EditPanel
          key={opening}
          panel={edited}
          team={team}
          titles={spec.panels.map(({ title }) => title).filter((title) => title !== open)}
          change={(panel) => {
            setDraft(changed(spec, edited.title, () => panel))
            follow(panel.title)
          }}
          close={() => setOpen(undefined)}
        />
      )}
      <EditSettings opened={settings} close={() => setSettings(false)} spec={spec} change={setDraft} />
    </>
  )
}

function Overtaken({ bringIn }: { bringIn: () => void }) {
  return (
    <Alert color="yellow" mb="xs" title="Somebody changed this dashboard meanwhile" role="alert">
      <Text size="sm">Saving now would be refused, so that their change is not lost. Bring it in, look it over, then save.</Text>
      <Button mt="xs" size="compact-sm" variant="default" onClick={bringIn}>
        Bring their change in
      </Button>
    </Alert>
  )
}

/** Which panel the form is about, and how often it was opened: a panel that is renamed keeps its form. */
function useOpen() {
  const [{ open, opening }, set] = useState<{ open: string | undefined; opening: number }>({ open: undefined, opening: 0 })
  return {
    open,
    opening,
    setOpen: (title: string | undefined) => set((before) => ({ open: title, opening: before.opening + 1 })),
    follow: (title: string) => set((before) => ({ ...before, open: title })),
  }
}

/** What the draft began with; somebody else's change comes in only when the person says so. */
function useSaving(resource: Dashboard, spec: DashboardSpec, setDraft: (spec: DashboardSpec) => void, stop: () => void) {
  const [base, setBase] = useState(resource)
  const [kept, setKept] = useState<string[]>([])
  const { busy, error, act } = useAct()
  const { name, namespace } = base.metadata
  const overtaken = resource.metadata.generation !== base.metadata.generation
  const save = (): void =>
    act(async () => {
      await call('PUT', resourcePath('dashboards', namespace, name), { body: { ...(overtaken ? base : resource), spec } })
      stop()
    })
  const bringIn = (): void => {
    const { spec: both, conflicts } = merged(base.spec, spec, resource.spec)
    setDraft(both)
    setKept(conflicts)
    setBase(resource)
  }
  // Said above the panels already, with what to do.
  const shown = overtaken && error instanceof ApiError && error.code === 'CONFLICT' ? undefined : error
  return { state: { busy, error: shown, overtaken, kept }, save, bringIn }
}
