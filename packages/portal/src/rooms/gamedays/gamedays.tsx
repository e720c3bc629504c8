/** The game days of a team, and those that Pavior brings. */
import { Button, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core'
import type { AppSpec, EnvironmentSpec, Resource } from '@pavior/contract'
import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { post, resourcePath } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { useGo } from '../../frame/navigation.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam, useTeams } from '../../frame/team.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Section } from '../../pieces/section.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { gameDayPath, libraryQuery, type GameDay, type LibraryItem } from './reads.ts'
import { GameDayTable } from './table.tsx'

export default function GameDays() {
  const { items, loading } = useCollection<GameDay>('gamedays', { team: useTeam() })
  return (
    <>
      <PageHeader title="Game days" text="Faults on purpose, watched and ended by themselves when they hurt more than they may, to find out whether what is believed about an app holds." />
      <GameDayTable items={items} loading={loading} commands={['pavior gameday library', 'pavior gameday add slow-dependency --app <app> --environment <environment>']} />
      <Library />
    </>
  )
}

function Library() {
  const session = useSession()
  const chosen = useTeam()
  const { teams } = useTeams()
  const { data = [] } = useQuery(libraryQuery)
  const [item, setItem] = useState<LibraryItem>()
  const team = chosen ?? teams.find((each) => mayAs(session, 'developer', each))
  if (data.length === 0 || team === undefined || !mayAs(session, 'developer', team)) return null
  return (
    <Section title="Ready ones">
      {data.map((each) => (
        <Group key={each.name} justify="space-between" wrap="nowrap" py={4}>
          <Text size="sm">{each.spec.hypothesis}</Text>
          <Button size="compact-xs" variant="default" aria-label={`Plan it: ${each.name}`} onClick={() => setItem(each)} style={{ flexShrink: 0 }}>
            Plan it
          </Button>
        </Group>
      ))}
      <Text size="sm" mt="xs">
        <GoLink to="/kinds/gamedays/create">Write one</GoLink>
      </Text>
      <Modal opened={item !== undefined} onClose={() => setItem(undefined)} title={item && `Plan ${item.name} in ${team}`} closeButtonProps={{ 'aria-label': 'Close' }}>
        {item && <Plan item={item} team={team} close={() => setItem(undefined)} />}
      </Modal>
    </Section>
  )
}

function Plan({ item, team, close }: { item: LibraryItem; team: string; close: () => void }) {
  const go = useGo()
  const { items: apps } = useCollection<Resource<AppSpec>>('apps', { team })
  const { items: environments } = useCollection<Resource<EnvironmentSpec>>('environments', { team })
  const [name, setName] = useState(item.name)
  const [app, setApp] = useState<string | null>(null)
  const [environment, setEnvironment] = useState<string | null>(null)
  const { busy, error, act } = useAct()
  const forbids = environments.find(({ metadata }) => metadata.name === environment)?.spec.faults !== true && environment !== null
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => {
      const made = await post<GameDay>(resourcePath('gamedays', team), { metadata: { name }, spec: { ...item.spec, app, environment } })
      close()
      go(gameDayPath(made))
    })
  }
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput label="Name" required maxLength={63} value={name} onChange={({ currentTarget }) => setName(currentTarget.value)} />
        <Select data-autofocus label="App" required searchable data={apps.map(({ metadata }) => metadata.name).toSorted()} value={app} onChange={setApp} />
        <Select label="Environment" required data={environments.map(({ metadata }) => metadata.name).toSorted()} value={environment} onChange={setEnvironment} description={forbids ? `${environment} does not allow faults yet: pavior gameday allow ${environment}` : 'It has to allow faults.'} />
        {error && <ErrorState error={error} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={app === null || environment === null || name === ''}>
            Plan it
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
