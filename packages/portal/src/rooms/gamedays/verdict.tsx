/** What people made of it: whether the hypothesis held, what was learned, and what is done about it. */
import { Button, Group, SegmentedControl, Stack, Text, Textarea, TextInput } from '@mantine/core'
import type { GameDayVerdict, PostmortemAction } from '@pavior/contract'
import { useState, type FormEvent } from 'react'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { Markdown } from '../../pieces/markdown.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { perform, personText, verdictOf, type GameDay } from './reads.ts'
import classes from './gamedays.module.css'

export function Verdict({ gameDay }: { gameDay: GameDay }) {
  const session = useSession()
  const [editing, setEditing] = useState(false)
  const may = mayAs(session, 'developer', gameDay.metadata.namespace!)
  const { verdict } = gameDay.spec
  if (may && (editing || !verdict)) return <Form gameDay={gameDay} close={() => setEditing(false)} />
  if (!verdict) return null
  const shown = verdictOf(gameDay)!
  return (
    <Section title="Verdict" actions={may && <Button size="compact-xs" variant="default" onClick={() => setEditing(true)}>Change it</Button>}>
      <Text size="sm" mb="xs">
        <Status {...shown} /> says {personText(verdict.by)} <Ago at={verdict.at} />
      </Text>
      <Markdown text={verdict.text} />
      {(verdict.actions ?? []).length > 0 && (
        <ul aria-label="Actions">
          {verdict.actions!.map((action, index) => (
            <li key={`${index} ${action.title}`}>
              <Text size="sm">
                {action.title} ({action.owner ?? 'nobody'}
                {action.due && `, by ${action.due}`}): {action.state ?? 'Open'}
              </Text>
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}

function Form({ gameDay, close }: { gameDay: GameDay; close: () => void }) {
  const before = gameDay.spec.verdict
  const [result, setResult] = useState<GameDayVerdict['result']>(before?.result ?? 'held')
  const [text, setText] = useState(before?.text ?? '')
  const [actions, setActions] = useState<PostmortemAction[]>(before?.actions ?? [])
  const { busy, error, act } = useAct()
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => {
      await perform(gameDay, 'verdict', { result, text, actions: actions.filter(({ title }) => title.trim() !== '') })
      close()
    })
  }
  const change = (index: number, part: Partial<PostmortemAction>): void => setActions(actions.map((one, at) => (at === index ? { ...one, ...part } : one)))
  return (
    <Section title="What did it show?">
      <form onSubmit={submit} className={classes.form}>
        <Stack gap="sm">
          <SegmentedControl aria-label="Verdict" value={result} onChange={(value) => setResult(value as GameDayVerdict['result'])} data={[{ value: 'held', label: 'The hypothesis held' }, { value: 'refuted', label: 'It was refuted' }]} />
          <Textarea label="What was seen, and learned" required autosize minRows={3} maxLength={10_000} value={text} onChange={({ currentTarget }) => setText(currentTarget.value)} />
          {actions.map((action, index) => (
            <Group key={index} gap="xs" align="end">
              <TextInput size="xs" label="What is to be done" maxLength={300} value={action.title} onChange={({ currentTarget }) => change(index, { title: currentTarget.value })} />
              <TextInput size="xs" label="Who" maxLength={63} w={120} value={action.owner ?? ''} onChange={({ currentTarget }) => change(index, { owner: currentTarget.value || undefined })} />
              <TextInput size="xs" label="By" type="date" w={140} value={action.due ?? ''} onChange={({ currentTarget }) => change(index, { due: currentTarget.value || undefined })} />
            </Group>
          ))}
          {error && <ErrorState error={error} />}
          <Group gap="xs">
            <Button type="submit" loading={busy} disabled={text.trim() === ''}>
              Say so
            </Button>
            <Button variant="default" onClick={() => setActions([...actions, { title: '' }])}>
              Add an action
            </Button>
            {before && (
              <Button variant="subtle" onClick={close}>
                Cancel
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Section>
  )
}
