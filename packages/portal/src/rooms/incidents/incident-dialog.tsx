/** What one says or does in an incident: a note, an update for those inside and the public, another state. */
import { incidentStates } from '@pavior/contract'
import { Button, Group, Modal, Select, Stack, Switch, Textarea } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { ErrorState } from '../../pieces/error-state.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { severityChoices } from './open-incident.tsx'
import { act as perform, stateOf, type Incident } from './reads.ts'

export type DialogKind = 'note' | 'update' | 'state' | 'severity'

const titles: Record<DialogKind, string> = { note: 'Write a note', update: 'Tell how it goes', state: 'Move the incident', severity: 'How bad is it' }

const stateMeanings: Record<string, string> = {
  Investigating: 'Investigating: the cause is not known',
  Identified: 'Identified: the cause is known',
  Mitigated: 'Mitigated: users are well again',
  Resolved: 'Resolved: the cause is dealt with',
  Closed: 'Closed: nothing moves any more',
}

export function IncidentDialog({ kind, incident, close }: { kind: DialogKind | undefined; incident: Incident; close: () => void }) {
  return (
    <Modal opened={kind !== undefined} onClose={close} title={kind && titles[kind]} closeButtonProps={{ 'aria-label': 'Close' }}>
      {kind && <Form key={kind} kind={kind} incident={incident} close={close} />}
    </Modal>
  )
}

function Form({ kind, incident, close }: { kind: DialogKind; incident: Incident; close: () => void }) {
  const { metadata, spec } = incident
  // What was seen when the dialog opened: a move that somebody else made meanwhile is not overrun.
  const [from] = useState(() => stateOf(incident).word)
  const [text, setText] = useState('')
  const [forPublic, setForPublic] = useState('')
  const [state, setState] = useState<string>(() => nextState(from))
  const [severity, setSeverity] = useState<string>(spec.severity)
  const [postmortem, setPostmortem] = useState(() => spec.postmortem ?? (spec.severity === 'sev1' || spec.severity === 'sev2'))
  const { busy, error, act } = useAct()
  const note = text.trim() === '' ? {} : { note: text }
  const requests: Record<DialogKind, () => Promise<unknown>> = {
    note: () => perform(metadata.namespace!, metadata.name, 'note', { text }),
    update: () => perform(metadata.namespace!, metadata.name, 'update', { ...(text.trim() === '' ? {} : { text }), ...(forPublic.trim() === '' ? {} : { public: forPublic }) }),
    state: () => (state === 'Closed' ? perform(metadata.namespace!, metadata.name, 'close', { ...note, postmortem }) : perform(metadata.namespace!, metadata.name, 'state', { state, from, ...note })),
    severity: () => perform(metadata.namespace!, metadata.name, 'severity', { severity, ...(text.trim() === '' ? {} : { reason: text }) }),
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(() => requests[kind]().then(close))
  }
  const empty = kind === 'note' ? text.trim() === '' : kind === 'update' && text.trim() === '' && forPublic.trim() === ''
  return (
    <form onSubmit={submit}>
      <Stack>
        {kind === 'state' && <Select data-autofocus label="State" data={incidentStates.filter((each) => each !== from).map((value) => ({ value, label: stateMeanings[value]! }))} value={state} onChange={(value) => setState(value ?? state)} allowDeselect={false} />}
        {kind === 'severity' && <Select data-autofocus label="Severity" data={severityChoices} value={severity} onChange={(value) => setSeverity(value ?? severity)} allowDeselect={false} />}
        {kind === 'state' && state === 'Closed' && <Switch label="Draft a postmortem" checked={postmortem} onChange={({ currentTarget }) => setPostmortem(currentTarget.checked)} />}
        <Textarea {...(kind === 'note' || kind === 'update' ? { 'data-autofocus': true } : {})} label={kind === 'note' ? 'Note' : kind === 'update' ? 'For those inside' : kind === 'severity' ? 'Why' : 'What you say with it'} autosize minRows={3} maxRows={12} maxLength={5000} value={text} onChange={({ currentTarget }) => setText(currentTarget.value)} />
        {kind === 'update' && <Textarea label="For the public" description="The status page shows it to everybody who may read the page." autosize minRows={2} maxRows={8} maxLength={2000} value={forPublic} onChange={({ currentTarget }) => setForPublic(currentTarget.value)} />}
        {error && <ErrorState error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={empty}>
            {kind === 'state' ? `Move to ${state}` : 'Say it'}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function nextState(from: string): string {
  const at = incidentStates.findIndex((state) => state === from)
  return incidentStates[Math.min(at + 1, incidentStates.length - 1)]!
}
