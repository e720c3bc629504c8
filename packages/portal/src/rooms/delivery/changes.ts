/** What a release changes against another. */
import type { ReleaseChanges, ValueChange } from '@pavior/contract'
import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import { appApi, type AppPlace } from '../../frame/apps.ts'

/** As the API has it. */
export interface Changes extends ReleaseChanges {
  from: number
  to: number
  source?: {
    commits?: { commit: string; author: string; time: string; subject: string }[]
    files?: { path: string; added?: number; removed?: number }[]
    patch?: string
    cut?: boolean
  }
}

/** Both releases are immutable, and so is the answer. */
export function useChanges(place: AppPlace, from: number | undefined, to: number | undefined): UseQueryResult<Changes> {
  return useQuery({
    queryKey: ['changes', place.team, place.app, from, to],
    queryFn: ({ signal }) => get<Changes>(appApi(place, `releases/v${to}/diff?against=v${from}`), signal),
    enabled: from !== undefined && to !== undefined && from !== to,
    staleTime: Infinity,
  })
}

/** One line each; what a person wants to know before they agree. */
export function summaryOf({ source, configuration, secrets, processes, artifact }: Changes): string[] {
  const names = (changes: ValueChange[]): string => changes.map(({ name }) => name).join(', ')
  const { commits, files } = source ?? {}
  const out: string[] = []
  if (commits && commits.length > 0) out.push(`Commits: ${commits.length}`)
  if (files) out.push(files.length === 0 ? 'The code is the same.' : `Files: ${files.length} ${files.length === 1 ? 'differs' : 'differ'} (${files.slice(0, 3).map(({ path }) => path).join(', ')}${files.length > 3 ? ' …' : ''})`)
  else out.push(artifact.same ? 'The artifact is the same.' : 'The artifact is another one; the sources are no longer kept, so the files cannot be compared.')
  out.push(configuration.length === 0 ? 'The configuration is the same.' : `Configuration: ${names(configuration)}`)
  if (secrets.length > 0) out.push(`Secrets: ${names(secrets)}`)
  if (processes.length > 0) out.push(`Processes: ${names(processes)}`)
  return out
}
