/** What the palette offers: pages, commands, teams, and every resource of every kind. */
import { useMantineColorScheme } from '@mantine/core'
import { useQueries, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { kindsQuery, namesQuery } from './kinds.ts'
import { useGo } from './navigation.ts'
import { places, registeredRooms, resourceHref } from './registry.ts'
import type { Icon } from './room.ts'
import { useSession, useSignIn } from './session.ts'
import { useChooseTeam, useTeams } from './team.ts'

export interface Entry {
  /** The same for the same thing, so that recent ones are found again. */
  id: string
  label: string
  group: 'Go to' | 'Do' | 'Found'
  /** Kind and team of a resource. */
  note?: string
  keywords?: string
  cli?: string
  keys?: string
  icon?: Icon
  run: () => void
}

/** Resources are asked for once something is typed. */
export function useEntries(searching: boolean): Entry[] {
  const go = usePageEntries()
  const commands = useCommandEntries()
  const found = useResourceEntries(searching)
  return useMemo(() => [...go, ...commands, ...found], [go, commands, found])
}

function usePageEntries(): Entry[] {
  const session = useSession()
  const go = useGo()
  return useMemo(
    () =>
      places(session).map(({ path, navigation: { label, icon, key } }) => ({
        id: `page ${path}`, label, group: 'Go to', icon, ...(key === undefined ? {} : { keys: `g ${key}` }), run: () => go(path),
      })),
    [session, go],
  )
}

function useCommandEntries(): Entry[] {
  const session = useSession()
  const go = useGo()
  const { setColorScheme } = useMantineColorScheme()
  const { signOut } = useSignIn()
  const { teams } = useTeams()
  const chooseTeam = useChooseTeam()
  // What they close over is stable enough; the list itself must not be made anew at every letter.
  return useMemo(() => {
    const own = registeredRooms().flatMap(({ commands = [] }) => commands).filter(({ visible }) => visible?.(session) ?? true)
    const command = (label: string, run: () => void, more: Partial<Entry> = {}): Entry => ({ id: `do ${label}`, label, group: 'Do', run, ...more })
    return [
      ...own.map(({ label, keywords, cli, run }) => command(label, () => run(go), { ...(keywords ? { keywords } : {}), ...(cli ? { cli } : {}) })),
      command('Show all teams', () => chooseTeam(undefined), { keywords: 'switch' }),
      ...teams.map((team) => command(`Show team ${team}`, () => chooseTeam(team), { keywords: 'switch' })),
      command('Light appearance', () => setColorScheme('light'), { keywords: 'theme' }),
      command('Dark appearance', () => setColorScheme('dark'), { keywords: 'theme' }),
      command('Appearance of the system', () => setColorScheme('auto'), { keywords: 'theme' }),
      command('Sign out', () => void signOut().then(() => go('/sign-in')), { keywords: 'log out', cli: 'pavior logout' }),
    ]
    // eslint-disable-next-line react-hooks/exhaustive-deps -- see above
  }, [session, go, teams])
}

function useResourceEntries(searching: boolean): Entry[] {
  const go = useGo()
  const { data: kinds = [] } = useQuery(kindsQuery)
  const combined = useQueries({
    queries: kinds.map(({ plural }) => ({ ...namesQuery(plural), enabled: searching })),
    combine: (results) => results.map(({ data }) => data),
  })
  return useMemo(
    () =>
      kinds.flatMap(({ plural, kind }, index) =>
        (combined[index] ?? []).map((resource): Entry => {
          const { name, namespace } = resource.metadata
          return { id: `${plural} ${namespace ?? ''}/${name}`, label: name, group: 'Found', note: namespace === undefined ? kind : `${kind} in ${namespace}`, run: () => go(resourceHref(plural, resource)) }
        }),
      ),
    [kinds, combined, go],
  )
}
