/** What one does with an alert. */
import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { post, resourcePath } from '../../frame/api.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { apiOf, type Alert } from './reads.ts'

const hourMs = 3600_000
const lengths = [{ value: '1', label: '1 hour' }, { value: '4', label: '4 hours' }, { value: '24', label: '1 day' }, { value: '168', label: '1 week' }]

export function AlertActs({ alert }: { alert: Alert }) {
  const session = useSession()
  const [silencing, setSilencing] = useState(false)
  const { busy, error, act } = useAct()
  const { metadata, status = {} } = alert
  if (!mayAs(session, 'developer', metadata.namespace!)) return <CopyCommand command={`pavior alerts show ${metadata.name} --team ${metadata.namespace}`} />
  const say = (what: string, body: object = {}) => (): void => act(() => post(apiOf('alerts', alert, what), body))
  const over = status.state === 'Resolved'
  return (
    <Stack gap={4} align="flex-end">
      <Group gap="xs">
        {over && status.verdict !== 'Noise' && <Button size="xs" variant="default" loading={busy} onClick={say('verdict', { verdict: 'Noise' })}>It was noise</Button>}
        {over && status.verdict !== 'ActedUpon' && <Button size="xs" variant="default" loading={busy} onClick={say('verdict', { verdict: 'ActedUpon' })}>Somebody acted</Button>}
        {!over && <Button size="xs" variant="default" onClick={() => setSilencing(true)}>Silence</Button>}
        {!over && <Button size="xs" variant="default" loading={busy} onClick={say('resolve')}>Resolve</Button>}
        {status.state === 'Firing' && <Button size="xs" loading={busy} onClick={say('acknowledge')}>Acknowledge</Button>}
      </Group>
      {error && <ErrorState error={error} />}
      <Modal opened={silencing} onClose={() => setSilencing(false)} title="Silence what made this alert" closeButtonProps={{ 'aria-label': 'Close' }}>
        {silencing && <SilenceForm alert={alert} close={() => setSilencing(false)} />}
      </Modal>
    </Stack>
  )
}

/** The source, and what all of its members have in common. */
function matchersOf({ spec }: Alert): { label: string; op: '='; value: string }[] {
  const source = { label: spec.source.kind === 'Slo' ? 'slo' : 'rule', op: '=' as const, value: spec.source.name }
  const labels = Object.entries(spec.labels ?? {}).filter(([label]) => !['slo', 'severity', 'rule'].includes(label) && /^[A-Za-z_][A-Za-z0-9_]*$/.test(label))
  return [source, ...labels.slice(0, 10).map(([label, value]) => ({ label, op: '=' as const, value }))]
}

function SilenceForm({ alert, close }: { alert: Alert; close: () => void }) {
  const [hours, setHours] = useState('1')
  const [reason, setReason] = useState('')
  const { busy, error, act } = useAct()
  const matchers = matchersOf(alert)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(() => post(resourcePath('silences', alert.metadata.namespace), { metadata: { generateName: 'silence-' }, spec: { reason, matchers, until: new Date(Date.now() + Number(hours) * hourMs).toISOString() } }).then(close))
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <Text size="sm">Nobody is told of alerts with {matchers.map(({ label, value }) => `${label} = ${value}`).join(', ')}. They are kept and shown all the same.</Text>
        <Select label="For how long" data={lengths} value={hours} onChange={(value) => setHours(value ?? '1')} allowDeselect={false} />
        <TextInput label="Why" description="People who wonder read it." required minLength={3} maxLength={500} value={reason} onChange={({ currentTarget }) => setReason(currentTarget.value)} data-autofocus />
        {error && <ErrorState error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>Cancel</Button>
          <Button type="submit" loading={busy}>Silence</Button>
        </Group>
      </Stack>
    </form>
  )
}
