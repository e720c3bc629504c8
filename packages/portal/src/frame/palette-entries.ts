/** What the palette offers: pages, commands, teams, and every resource of every kind. */
import { useMantineColorScheme } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { get } from './api.ts'
import { kindsQuery, namesQuery } from './kinds.ts'
import { useGo } from './navigation.ts'
import { places, registeredRooms, resourceHref } from './registry.ts'
import type { Icon } from './room.ts'
import { useSession, useSignIn } from './session.ts'
import { useChooseTeam, useTeams } from './team.ts'

const typingPauseMs = 150

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

/** Resources are asked for once something is typed; texts when the hand rests. */
export function useEntries(searching: boolean, query: string): Entry[] {
  const go = usePageEntries()
  const commands = useCommandEntries()
  const found = useResourceEntries(searching)
  const read = useTextEntries(query)
  const typed = useTypedEntries(query)
  return useMemo(() => [...typed, ...go, ...commands, ...found, ...read], [typed, go, commands, found, read])
}

interface SearchAnswer {
  entities: { ref: string; kind: string; namespace: string; name: string; title: string | null; description: string | null }[]
  docs: { team: string; app: string; path: string; title: string }[]
}

/** Pages of documentation and entities of the catalogue that hold the words anywhere. */
function useTextEntries(query: string): Entry[] {
  const go = useGo()
  const [words] = useDebouncedValue(query.trim(), typingPauseMs)
  const { data } = useQuery({ queryKey: ['search', words], enabled: words.length > 1, placeholderData: keepPreviousData, queryFn: ({ signal }) => get<SearchAnswer>(`/v1/search?q=${encodeURIComponent(words)}`, signal) })
  return useMemo(() => {
    if (!data || words.length < 2) return []
    // The server found the words; the palette must not look for them in the label again.
    const found = (id: string, label: string, note: string, path: string): Entry => ({ id, label, group: 'Found', note, keywords: words, run: () => go(path) })
    return [
      ...data.docs.map(({ team, app, path, title }) => found(`docs ${team}/${app}/${path}`, title, `Docs of ${app}`, `/apps/${team}/${app}/docs?page=${encodeURIComponent(path)}`)),
      ...data.entities.map(({ ref, kind, namespace, name, title }) => found(`entity ${ref}`, title ?? name, `${kind} in the catalogue`, `/catalog/${[kind, namespace, name].map(encodeURIComponent).join('/')}`)),
    ]
  }, [data, words, go])
}

function useTypedEntries(query: string): Entry[] {
  const go = useGo()
  const text = query.trim()
  return useMemo(() => {
    const meant = text === '' ? [] : registeredRooms().flatMap(({ typed }) => typed?.(text) ?? [])
    return meant.map(({ label, cli, run }): Entry => ({ id: `typed ${label}`, label, group: 'Found', keywords: text, ...(cli ? { cli } : {}), run: () => run(go) }))
  }, [text, go])
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
          const whole = resource.spec?.displayName === undefined ? '' : ` · ${resource.spec.displayName}`
          return { id: `${plural} ${namespace ?? ''}/${name}`, label: name, group: 'Found', note: namespace === undefined ? `${kind}${whole}` : `${kind} in ${namespace}`, ...(resource.spec?.email ? { keywords: resource.spec.email } : {}), run: () => go(resourceHref(plural, resource)) }
        }),
      ),
    [kinds, combined, go],
  )
}
