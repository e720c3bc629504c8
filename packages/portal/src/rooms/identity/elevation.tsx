/** A higher role in a team for a while: taken with a reason, shown with the time that is left, given back at any moment. */
import type { Resource, RoleBindingSpec } from '@pavior/contract'
import { Alert, Button, Group, Modal, NumberInput, Select, Stack, Text, Textarea } from '@mantine/core'
import { IconShieldUp } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useState, type FormEvent } from 'react'
import { post, remove } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { mayAs, sessionQuery, useSession } from '../../frame/session.ts'
import { useTeams } from '../../frame/team.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { useAct } from '../../pieces/use-act.ts'

type Binding = Resource<RoleBindingSpec>

const elevations = 'pavior.dev/elevation=true'
const takable = ['team-owner', 'developer', 'on-call']
const usualMinutes = 30
const tickMs = 1000

/** Everybody's in the teams that one may read: taking a role is nothing to hide. */
export function Elevations() {
  const { items } = useCollection<Binding>('rolebindings', { labelSelector: elevations })
  return items.map((binding) => <Elevation key={binding.metadata.uid} binding={binding} />)
}

function Elevation({ binding: { metadata, spec } }: { binding: Binding }) {
  const session = useSession()
  const client = useQueryClient()
  const { busy, error, act } = useAct()
  const left = useSecondsLeft(spec.expiresAt ?? '')
  const who = spec.subjects.map(({ name }) => name).join(', ')
  const own = who === session.user
  const end = (): void =>
    act(async () => {
      await remove(`/v1/teams/${encodeURIComponent(metadata.namespace!)}/elevations/${encodeURIComponent(metadata.name)}`)
      await client.invalidateQueries(sessionQuery)
    })
  if (left <= 0) return null
  return (
    <Alert icon={<IconShieldUp size={18} />} mb="md" title={`${own ? 'You are' : `${who} is`} ${spec.role} in ${metadata.namespace} for ${clockText(left)}`}>
      <Group justify="space-between" gap="xs">
        <Text size="sm">{spec.reason}</Text>
        {(own || mayAs(session, 'admin', metadata.namespace)) && (
          <Button size="compact-xs" variant="default" loading={busy} onClick={end} aria-label={`End the role of ${who}`}>
            {own ? 'Give it back' : 'End it'}
          </Button>
        )}
      </Group>
      {error && <ErrorState error={error} />}
    </Alert>
  )
}

function useSecondsLeft(until: string): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), tickMs)
    return () => window.clearInterval(timer)
  }, [])
  return Math.ceil((Date.parse(until) - now) / 1000)
}

function clockText(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60]
  return `${minutes}:${String(rest).padStart(2, '0')} min`
}

export function ElevateButton() {
  const [opened, setOpened] = useState(false)
  const { teams } = useTeams()
  if (teams.length === 0) return null
  return (
    <>
      <Button size="xs" variant="default" leftSection={<IconShieldUp size={14} />} onClick={() => setOpened(true)}>
        Take a role for a while
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Take a role for a while" closeButtonProps={{ 'aria-label': 'Close' }}>
        <Ask teams={teams} close={() => setOpened(false)} />
      </Modal>
    </>
  )
}

function Ask({ teams, close }: { teams: string[]; close: () => void }) {
  const client = useQueryClient()
  const [team, setTeam] = useState(teams[0]!)
  const [role, setRole] = useState(takable[0]!)
  const [minutes, setMinutes] = useState<number | string>(usualMinutes)
  const [reason, setReason] = useState('')
  const { busy, error, act } = useAct()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => {
      await post(`/v1/teams/${encodeURIComponent(team)}/elevations`, { role, minutes: Number(minutes), reason })
      await client.invalidateQueries(sessionQuery)
      close()
    })
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">For an emergency. It is written into the audit, the team sees it, and it ends by itself.</Text>
        <Group grow>
          <Select label="Team" data={teams} value={team} allowDeselect={false} onChange={(next) => next && setTeam(next)} />
          <Select label="Role" data={takable} value={role} allowDeselect={false} onChange={(next) => next && setRole(next)} />
        </Group>
        <NumberInput label="Minutes" min={1} required value={minutes} onChange={setMinutes} />
        <Textarea label="Why" description="A sentence for those who read it later." required maxLength={500} autosize minRows={2} data-autofocus value={reason} onChange={({ currentTarget }) => setReason(currentTarget.value)} />
        {error && <ErrorState error={error} />}
        <Button type="submit" loading={busy}>
          Take the role
        </Button>
      </Stack>
    </form>
  )
}
