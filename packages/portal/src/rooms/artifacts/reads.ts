/** What the pages of artifacts read. */
import type { AdvisoryState, ArtifactView } from '@pavior/contract'
import { queryOptions } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import { appApi, type AppPlace } from '../../frame/apps.ts'

export interface ArtifactRow {
  digest: string
  build: string
  at: string
  components: number
  secrets: number
}

export const artifactsQuery = (place: AppPlace) => queryOptions({ queryKey: ['artifacts', place], queryFn: ({ signal }) => get<{ items: ArtifactRow[] }>(appApi(place, 'artifacts'), signal) })

export const artifactQuery = (place: AppPlace, digest: string) =>
  queryOptions({ queryKey: ['artifacts', place, digest], queryFn: ({ signal }) => get<ArtifactView>(appApi(place, `artifacts/${encodeURIComponent(digest)}`), signal), enabled: digest !== '' })

export const advisoriesQuery = queryOptions({ queryKey: ['advisories'], queryFn: ({ signal }) => get<{ items: AdvisoryState[] }>('/v1/advisories', signal) })
