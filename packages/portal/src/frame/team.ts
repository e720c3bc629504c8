/**
 * The team that the person looks at.
 *
 * `useTeam()` gives its name, or undefined for all teams that the person may read; hand it to `useCollection(plural, { team })`
 * as it is. It is the `team` of the address (?team=payments), else the last choice in this browser, so that links show the same
 * to everybody and a choice lasts. Pages of one app or one team have the team in their path (`$team`) and use that instead.
 */
import type { Resource, TeamSpec } from '@pavior/contract'
import { useMemo, useSyncExternalStore } from 'react'
import { useCollection } from './collections.ts'
import { useSearchParams, useSetSearchParams } from './search-params.ts'
import { useSession } from './session.ts'

const storageKey = 'pavior.team'
/** In the address: all teams, whatever was chosen before. No team can have this name. */
const everyTeam = '*'
const listeners = new Set<() => void>()

function remembered(): string | undefined {
  return localStorage.getItem(storageKey) ?? undefined
}

function remember(team: string | undefined): void {
  if (team === undefined) localStorage.removeItem(storageKey)
  else localStorage.setItem(storageKey, team)
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  window.addEventListener('storage', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', listener)
  }
}

/** The team to show, or undefined for all teams of the person. */
export function useTeam(): string | undefined {
  const { team: inAddress } = useSearchParams()
  const chosen = useSyncExternalStore(subscribe, remembered)
  const { teams, loading } = useTeams()
  if (inAddress !== undefined) return inAddress === everyTeam ? undefined : inAddress
  // A team that was left or deleted since it was chosen must not leave every page empty.
  return chosen !== undefined && (loading || teams.includes(chosen)) ? chosen : undefined
}

/** Chooses a team for this page and for those after it; undefined is all. */
export function useChooseTeam(): (team: string | undefined) => void {
  const setSearch = useSetSearchParams()
  return (team) => {
    remember(team)
    setSearch({ team: team ?? everyTeam }, { push: true })
  }
}

/** Names of the teams that the person may look at, in order. */
export function useTeams(): { teams: string[]; loading: boolean } {
  const { admin, roles, grants = [] } = useSession()
  const { items, loading } = useCollection<Resource<TeamSpec>>('teams')
  const teams = useMemo(() => {
    const may = (name: string): boolean => admin || name in roles || grants.some(({ team }) => team === undefined || team === name)
    return items.map(({ metadata }) => metadata.name).filter(may).toSorted()
  }, [items, admin, roles, grants])
  return { teams, loading }
}
