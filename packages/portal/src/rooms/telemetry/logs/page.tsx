/** Logs of any app that one may read: the app is chosen, and is in the address. */
import { Select } from '@mantine/core'
import { useMemo } from 'react'
import type { App } from '../../../frame/app-health.ts'
import { useCollection } from '../../../frame/collections.ts'
import { useSearchParams, useSetSearchParams } from '../../../frame/search-params.ts'
import { useTeam } from '../../../frame/team.ts'
import { EmptyState } from '../../../pieces/empty-state.tsx'
import { PageHeader } from '../../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../../pieces/page-skeleton.tsx'
import { LogExplorer } from './explorer.tsx'

export default function LogPage() {
  const { items, loading } = useCollection<App>('apps', { team: useTeam() })
  const names = useMemo(() => items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).toSorted(), [items])
  const { app } = useSearchParams()
  const set = useSetSearchParams()
  const shown = app ?? names[0]
  const [team = '', name = ''] = shown?.split('/') ?? []
  const chooser = <Select size="sm" w={260} aria-label="App" searchable data={names} value={shown ?? null} onChange={(next) => set({ app: next ?? undefined, process: undefined, instance: undefined, release: undefined, environment: undefined }, { push: true })} />
  return (
    <>
      <PageHeader title="Logs" text="What apps write, searched and counted. The address keeps the question, so that a link shows others the same." actions={names.length > 0 && chooser} />
      {shown === undefined ? loading ? <RowsSkeleton /> : <EmptyState title="No app yet." text="What apps write appears here." commands={['pavior deploy']} /> : <LogExplorer key={shown} place={{ team, app: name }} />}
    </>
  )
}
