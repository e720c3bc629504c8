/** Somebody takes over for a while. */
import { Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { call, get, resourcePath } from '../../frame/api.ts'
import { useSession } from '../../frame/session.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { person, type Schedule } from './reads.ts'

const hourMs = 3600_000
const keptMs = 30 * 24 * hourMs
const lengths = [{ value: '4', label: '4 hours' }, { value: '12', label: '12 hours' }, { value: '24', label: '1 day' }, { value: '168', label: '1 week' }]

export function StandIn({ schedule, opened, close }: { schedule: Schedule; opened: boolean; close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} title={`Stand in for ${schedule.metadata.name}`} closeButtonProps={{ 'aria-label': 'Close' }}>
      {opened && <Form schedule={schedule} close={close} />}
    </Modal>
  )
}

/**
 * Onto the list as it is now. What must not have changed is the generation: `on-call` writes the status after every
 * change of the schedule, and that is no reason to refuse.
 */
async function addOverride(team: string, name: string, override: NonNullable<Schedule['spec']['overrides']>[number], attempts = 3): Promise<void> {
  const path = resourcePath('oncallschedules', team, name)
  const { metadata, spec } = await get<Schedule>(path)
  // What is over is no longer needed, and the list does not grow for ever.
  const kept = (spec.overrides ?? []).filter(({ until }) => Date.parse(until) > Date.now() - keptMs)
  const changes = [{ op: 'test', path: '/metadata/generation', value: metadata.generation }, { op: 'add', path: '/spec/overrides', value: [...kept, override] }]
  try {
    await call('PATCH', path, { body: changes, type: 'application/json-patch+json' })
  } catch (error) {
    if (attempts <= 1) throw error
    // Somebody else may have changed the schedule meanwhile; what is refused for another reason is refused again.
    const { metadata: now } = await get<Schedule>(path)
    if (now.generation === metadata.generation) throw error
    await addOverride(team, name, override, attempts - 1)
  }
}

/** As an input for local times takes it. */
function localText(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function Form({ schedule: { metadata }, close }: { schedule: Schedule; close: () => void }) {
  const session = useSession()
  const [user, setUser] = useState(person(session.name))
  const [from, setFrom] = useState(localText(new Date()))
  const [hours, setHours] = useState('4')
  const [reason, setReason] = useState('')
  const { busy, error, act } = useAct()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    const begins = new Date(from)
    const override = { user, from: begins.toISOString(), until: new Date(begins.getTime() + Number(hours) * hourMs).toISOString(), ...(reason === '' ? {} : { reason }) }
    act(() => addOverride(metadata.namespace!, metadata.name, override).then(close))
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Who" required maxLength={63} value={user} onChange={({ currentTarget }) => setUser(currentTarget.value)} data-autofocus />
        <TextInput type="datetime-local" label="From" description="In your own time zone." required value={from} onChange={({ currentTarget }) => setFrom(currentTarget.value)} />
        <Select label="For how long" data={lengths} value={hours} onChange={(value) => setHours(value ?? '4')} allowDeselect={false} />
        <TextInput label="Why" maxLength={200} value={reason} onChange={({ currentTarget }) => setReason(currentTarget.value)} />
        {error && <ErrorState error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" loading={busy}>Stand in</Button>
        </Group>
      </Stack>
    </form>
  )
}
