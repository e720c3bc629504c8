/** Opens an incident by hand: a sentence is enough, the rest can be said later. */
import type { IncidentSpec } from '@pavior/contract'
import { incidentSeverities } from '@pavior/contract'
import { Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { post } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { useGo } from '../../frame/navigation.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { incidentPath, type Incident } from './reads.ts'

const meanings: Record<IncidentSpec['severity'], string> = { sev1: 'sev1: most users cannot work', sev2: 'sev2: many have trouble', sev3: 'sev3: some have trouble', sev4: 'sev4: nobody notices yet' }

export const severityChoices = incidentSeverities.map((value) => ({ value, label: meanings[value] }))

export function OpenIncident({ opened, close, team }: { opened: boolean; close: () => void; team: string }) {
  return (
    <Modal opened={opened} onClose={close} title={`Open an incident in ${team}`} closeButtonProps={{ 'aria-label': 'Close' }}>
      {opened && <Form team={team} close={close} />}
    </Modal>
  )
}

function Form({ team, close }: { team: string; close: () => void }) {
  const go = useGo()
  const [title, setTitle] = useState('')
  const [severity, setSeverity] = useState<string | null>('sev3')
  const [app, setApp] = useState<string | null>(null)
  const { items: apps } = useCollection('apps', { team })
  const { busy, error, act } = useAct()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => {
      const made = await post<Incident>(`/v1/teams/${encodeURIComponent(team)}/incidents`, { title, severity, ...(app === null ? {} : { app }) })
      close()
      go(incidentPath(made))
    })
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput data-autofocus required label="What is wrong" placeholder="Checkout answers slowly" maxLength={300} value={title} onChange={({ currentTarget }) => setTitle(currentTarget.value)} />
        <Select label="How bad" data={severityChoices} value={severity} onChange={setSeverity} allowDeselect={false} />
        <Select label="App" placeholder="none, or not known" clearable searchable data={apps.map(({ metadata }) => metadata.name).toSorted()} value={app} onChange={setApp} />
        {error && <ErrorState error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={title.trim() === ''}>
            Open it
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
