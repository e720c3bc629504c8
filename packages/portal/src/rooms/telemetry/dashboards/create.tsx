/** A new dashboard: empty, or a copy of another. */
import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import type { DashboardSpec } from '@pavior/contract'
import { useState, type FormEvent } from 'react'
import { post, resourcePath } from '../../../frame/api.ts'
import { useGo } from '../../../frame/navigation.ts'
import { ErrorState } from '../../../pieces/error-state.tsx'
import { useAct } from '../../../pieces/use-act.ts'
import { dashboardPath } from './reads.ts'

interface SaveCopyProps {
  opened: boolean
  close: () => void
  team: string
  spec: DashboardSpec
  /** Proposed. */
  name: string
}

export function SaveCopy({ opened, close, ...rest }: SaveCopyProps) {
  return (
    <Modal opened={opened} onClose={close} title={`A dashboard of team ${rest.team}`} closeButtonProps={{ 'aria-label': 'Close' }}>
      {opened && <Form close={close} {...rest} />}
    </Modal>
  )
}

function Form({ close, team, spec, name: proposed }: Omit<SaveCopyProps, 'opened'>) {
  const go = useGo()
  const [name, setName] = useState(proposed)
  const [title, setTitle] = useState(spec.title)
  const { busy, error, act } = useAct()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => {
      await post(resourcePath('dashboards', team), { apiVersion: 'pavior.dev/v1', kind: 'Dashboard', metadata: { name, namespace: team }, spec: { ...spec, title } })
      close()
      go(`${dashboardPath(team, name)}?edit=1`)
    })
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput data-autofocus required label="Title" maxLength={120} value={title} onChange={({ currentTarget }) => setTitle(currentTarget.value)} />
        <TextInput required label="Name" description="Lower case letters, digits and dashes; it stands in the address." pattern="[a-z]([\-a-z0-9]*[a-z0-9])?" maxLength={63} value={name} onChange={({ currentTarget }) => setName(currentTarget.value)} />
        {error && <ErrorState error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={name === '' || title.trim() === ''}>
            Save it
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
