/** The actions of one postmortem: what, who, by when, done or not. */
import type { PostmortemAction, PostmortemSpec } from '@pavior/contract'
import { ActionIcon, Anchor, Button, Checkbox, Group, Table, Text, TextInput } from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useState, type FormEvent } from 'react'
import { saveFields } from '../../frame/save.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { Section } from '../../pieces/section.tsx'
import { useAct } from '../../pieces/use-act.ts'
import type { Postmortem } from './reads.ts'

export function isLate({ state = 'Open', due }: PostmortemAction): boolean {
  return state === 'Open' && due !== undefined && due < new Date().toISOString().slice(0, 10)
}

export function saveActions(postmortem: Postmortem, actions: PostmortemAction[]): Promise<void> {
  return saveFields<PostmortemSpec>('postmortems', postmortem, { actions })
}

export function ActionTable({ postmortem, may }: { postmortem: Postmortem; may: boolean }) {
  const { busy, error, act } = useAct()
  const actions = postmortem.spec.actions ?? []
  const replace = (index: number, next: PostmortemAction | undefined): void => act(() => saveActions(postmortem, actions.flatMap((one, at) => (at === index ? (next ?? []) : one))))
  return (
    <Section title="Actions">
      {actions.length === 0 ? (
        <Text size="sm" c="dimmed">
          What would make it less likely, or less bad, the next time? One owner and one day each.
        </Text>
      ) : (
        <Table.ScrollContainer minWidth={320}>
          <Table aria-label="actions">
            <Table.Thead>
              <Table.Tr>
                <Table.Th w={60}>Done</Table.Th>
                <Table.Th>What</Table.Th>
                <Table.Th>Who</Table.Th>
                <Table.Th>By</Table.Th>
                {may && <Table.Th w={40} aria-label="Take away" />}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {actions.map((action, index) => (
                <Table.Tr key={`${index} ${action.title}`}>
                  <Table.Td>
                    <Checkbox size="xs" aria-label={`Done: ${action.title}`} disabled={!may || busy} checked={action.state === 'Done'} onChange={({ currentTarget }) => replace(index, { ...action, state: currentTarget.checked ? 'Done' : 'Open' })} />
                  </Table.Td>
                  <Table.Td>
                    {action.title} {action.link && <Anchor inherit underline="always" href={action.link} target="_blank" rel="noreferrer">its ticket</Anchor>}
                  </Table.Td>
                  <Table.Td>{action.owner ?? 'nobody'}</Table.Td>
                  <Table.Td>
                    {action.due ?? '–'} {isLate(action) && <Text span size="sm" c="var(--tone-bad)" fw={600}>overdue</Text>}
                  </Table.Td>
                  {may && (
                    <Table.Td>
                      <ActionIcon size="sm" variant="subtle" color="gray" aria-label={`Take away: ${action.title}`} onClick={() => replace(index, undefined)}>
                        <IconTrash size={14} />
                      </ActionIcon>
                    </Table.Td>
                  )}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {may && <AddAction busy={busy} add={(action, added) => act(() => saveActions(postmortem, [...actions, action]).then(added))} />}
      {error && <ErrorState error={error} />}
    </Section>
  )
}

function AddAction({ busy, add }: { busy: boolean; add: (action: PostmortemAction, added: () => void) => void }) {
  const [title, setTitle] = useState('')
  const [owner, setOwner] = useState('')
  const [due, setDue] = useState('')
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    add({ title: title.trim(), ...(owner.trim() === '' ? {} : { owner: owner.trim() }), ...(due === '' ? {} : { due }) }, () => setTitle(''))
  }
  return (
    <form onSubmit={submit}>
      <Group gap="xs" align="end" mt="sm">
        <TextInput size="xs" label="What is to be done" maxLength={300} value={title} onChange={({ currentTarget }) => setTitle(currentTarget.value)} />
        <TextInput size="xs" label="Who" maxLength={63} w={120} value={owner} onChange={({ currentTarget }) => setOwner(currentTarget.value)} />
        <TextInput size="xs" label="By" type="date" w={140} value={due} onChange={({ currentTarget }) => setDue(currentTarget.value)} />
        <Button size="xs" type="submit" loading={busy} disabled={title.trim() === ''}>
          Add
        </Button>
      </Group>
    </form>
  )
}
