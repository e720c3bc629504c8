/** Who decides, who tells others, who writes down. */
import { incidentRoles, type IncidentRole } from '@pavior/contract'
import { Button, Group, Popover, Text, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { mayAs, useSession } from '../../frame/session.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { Section } from '../../pieces/section.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { IncidentDialog } from './incident-dialog.tsx'
import { act as perform, type Incident } from './reads.ts'

const duties: Record<IncidentRole, string> = { commander: 'decides', communications: 'tells others', scribe: 'writes down' }

export function Roles({ incident }: { incident: Incident }) {
  const session = useSession()
  const [asked, setAsked] = useState(false)
  const may = mayAs(session, 'developer', incident.metadata.namespace!) && incident.status?.state !== 'Closed'
  return (
    <Section
      title="Who does what"
      actions={
        may && (
          <Button size="compact-xs" variant="subtle" onClick={() => setAsked(true)}>
            How bad is it: {incident.spec.severity}
          </Button>
        )
      }
    >
      <Group gap="lg">
        {incidentRoles.map((role) => (
          <Role key={role} role={role} incident={incident} may={may} />
        ))}
      </Group>
      <IncidentDialog kind={asked ? 'severity' : undefined} incident={incident} close={() => setAsked(false)} />
    </Section>
  )
}

function Role({ role, incident: { metadata, spec }, may }: { role: IncidentRole; incident: Incident; may: boolean }) {
  const { user } = useSession()
  const [opened, setOpened] = useState(false)
  const [typed, setTyped] = useState('')
  const { busy, error, act } = useAct()
  const held = spec.roles?.[role]
  const give = (to: string | null): void => act(() => perform(metadata.namespace!, metadata.name, 'assign', { role, user: to }).then(() => setOpened(false)))
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    give(typed.trim())
  }
  return (
    <div>
      <Text size="xs" c="dimmed">
        {role}, {duties[role]}
      </Text>
      <Group gap={6}>
        <Text size="sm">{held ?? 'nobody'}</Text>
        {may && (
          <Popover opened={opened} onChange={setOpened} withinPortal trapFocus returnFocus shadow="md">
            <Popover.Target>
              <Button size="compact-xs" variant="default" aria-label={`${held === undefined ? 'Give' : 'Change'} ${role}`} onClick={() => setOpened(!opened)}>
                {held === undefined ? 'Give' : 'Change'}
              </Button>
            </Popover.Target>
            <Popover.Dropdown aria-label={`Who is ${role}`}>
              <form onSubmit={submit}>
                <TextInput data-autofocus size="xs" label="User" maxLength={63} value={typed} onChange={({ currentTarget }) => setTyped(currentTarget.value)} />
                <Group gap="xs" mt="xs">
                  <Button size="compact-xs" type="submit" loading={busy} disabled={typed.trim() === ''}>
                    Give it
                  </Button>
                  {held !== user && (
                    <Button size="compact-xs" variant="default" onClick={() => give(user)}>
                      I take it
                    </Button>
                  )}
                  {held !== undefined && (
                    <Button size="compact-xs" variant="default" onClick={() => give(null)}>
                      Nobody
                    </Button>
                  )}
                </Group>
                {error && <ErrorState error={error} />}
              </form>
            </Popover.Dropdown>
          </Popover>
        )}
      </Group>
    </div>
  )
}
