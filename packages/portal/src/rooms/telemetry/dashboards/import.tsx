/** Takes over a dashboard of Grafana, and says what of it does not fit. */
import { Button, FileInput, Group, List, Modal, Stack, Text } from '@mantine/core'
import type { DashboardImport } from '@pavior/contract'
import { useState, type FormEvent } from 'react'
import { post } from '../../../frame/api.ts'
import { ErrorState } from '../../../pieces/error-state.tsx'
import { GoLink } from '../../../pieces/go-link.tsx'
import { useAct } from '../../../pieces/use-act.ts'
import { dashboardPath } from './reads.ts'

interface ImportGrafanaProps {
  opened: boolean
  close: () => void
  team: string
}

export function ImportGrafana({ opened, close, team }: ImportGrafanaProps) {
  return (
    <Modal opened={opened} onClose={close} title={`A dashboard of Grafana for team ${team}`} closeButtonProps={{ 'aria-label': 'Close' }}>
      {opened && <Form close={close} team={team} />}
    </Modal>
  )
}

function Form({ close, team }: Omit<ImportGrafanaProps, 'opened'>) {
  const [file, setFile] = useState<File | null>(null)
  const [taken, setTaken] = useState<DashboardImport>()
  const { busy, error, act } = useAct()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => setTaken(await post<DashboardImport>(`/v1/teams/${encodeURIComponent(team)}/dashboards/import`, { text: await file!.text() })))
  }
  if (taken) return <Taken team={team} taken={taken} />
  return (
    <form onSubmit={submit}>
      <Stack>
        <FileInput label="File" description="In Grafana: Share, Export, Save to file." placeholder="dashboard.json" accept="application/json,.json" value={file} onChange={setFile} />
        {error && <ErrorState error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={!file}>
            Take it over
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function Taken({ team, taken: { name, spec, leftOut } }: { team: string; taken: DashboardImport }) {
  return (
    <Stack gap="sm">
      <Text size="sm">
        <GoLink to={dashboardPath(team, name)} underline="always">{spec.title}</GoLink> has {spec.panels.length} {spec.panels.length === 1 ? 'panel' : 'panels'}.
      </Text>
      {leftOut.length > 0 && (
        <>
          <Text size="sm" fw={600}>Not as it was in Grafana</Text>
          <List size="sm">
            {leftOut.map(({ name: what, why }) => (
              <List.Item key={`${what} ${why}`}>
                <b>{what}</b> {why}
              </List.Item>
            ))}
          </List>
        </>
      )}
    </Stack>
  )
}
