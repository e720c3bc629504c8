/** Puts what was asked in Metrics into a dashboard. */
import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import type { Panel } from '@pavior/contract'
import { useState, type FormEvent } from 'react'
import { ApiError, get, post, call, resourcePath } from '../../../frame/api.ts'
import { useCollection } from '../../../frame/collections.ts'
import { mayAs, useSession } from '../../../frame/session.ts'
import { useTeams } from '../../../frame/team.ts'
import { ErrorState } from '../../../pieces/error-state.tsx'
import { GoLink } from '../../../pieces/go-link.tsx'
import { useAct } from '../../../pieces/use-act.ts'
import { unitOf } from '../lines.ts'
import { freeTitle } from './draft.ts'
import { dashboardPath, type Dashboard } from './reads.ts'

/** A new one is made. */
const fresh = '*'
/** Somebody else may save at the same moment. */
const tries = 3

interface AddPanelProps {
  opened: boolean
  close: () => void
  query: string
  team: string | undefined
}

export function AddPanel({ opened, close, query, team }: AddPanelProps) {
  return (
    <Modal opened={opened} onClose={close} title="Add it to a dashboard" closeButtonProps={{ 'aria-label': 'Close' }}>
      {opened && <Form close={close} query={query} team={team} />}
    </Modal>
  )
}

function Form({ close, query, team }: Omit<AddPanelProps, 'opened'>) {
  const session = useSession()
  const { teams } = useTeams()
  const own = teams.filter((each) => mayAs(session, 'developer', each) && (team === undefined || team === each))
  const { items } = useCollection<Dashboard>('dashboards', { team })
  const known = items.filter(({ metadata }) => own.includes(metadata.namespace!)).toSorted((one, other) => one.spec.title.localeCompare(other.spec.title))
  const data = [...known.map(({ metadata, spec }) => ({ value: `${metadata.namespace}/${metadata.name}`, label: own.length > 1 ? `${spec.title} (${metadata.namespace})` : spec.title })), ...own.map((each) => ({ value: `${each}/${fresh}`, label: own.length > 1 ? `A new one of ${each}` : 'A new one' }))]
  const [chosen, choose] = useState<string | null>(null)
  const [title, setTitle] = useState('')
  const [added, setAdded] = useState<{ team: string; name: string }>()
  const { busy, error, act } = useAct()
  const where = chosen ?? data[0]?.value
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const [owner, name] = where!.split('/') as [string, string]
    act(async () => setAdded({ team: owner, name: await add(owner, name, title.trim(), query) }))
  }
  if (added) return <Text size="sm">It is in <GoLink to={dashboardPath(added.team, added.name)} underline="always">{added.name}</GoLink> now.</Text>
  if (own.length === 0) return <Text size="sm">Only developers of a team change its dashboards.</Text>
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput data-autofocus required label="Title of the panel" maxLength={110} value={title} onChange={({ currentTarget }) => setTitle(currentTarget.value)} />
        <Select label="Dashboard" data={data} value={where ?? null} onChange={choose} allowDeselect={false} searchable={data.length > 8} />
        {error && <ErrorState error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={title.trim() === '' || where === undefined}>
            Add it
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

/** Gives the name of the dashboard that has it now. */
async function add(team: string, name: string, title: string, query: string): Promise<string> {
  const panel: Panel = { title, kind: 'line', queries: [{ query }], ...(unitOf(query) === 'bytes' ? { unit: 'bytes' as const } : {}) }
  if (name === fresh) {
    const made = await post<Dashboard>(resourcePath('dashboards', team), { apiVersion: 'pavior.dev/v1', kind: 'Dashboard', metadata: { generateName: 'dashboard-', namespace: team }, spec: { title, panels: [panel] } })
    return made.metadata.name
  }
  for (let left = tries; ; left--) {
    const current = await get<Dashboard>(resourcePath('dashboards', team, name))
    const spec = { ...current.spec, panels: [...current.spec.panels, { ...panel, title: freeTitle(current.spec, title) }] }
    try {
      await call('PUT', resourcePath('dashboards', team, name), { body: { ...current, spec } })
      return name
    } catch (error) {
      if (left <= 1 || !(error instanceof ApiError) || error.code !== 'CONFLICT') throw error
    }
  }
}
