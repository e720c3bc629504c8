/** All previews of the team: environments that come and go with branches. */
import { useMemo } from 'react'
import { useCollection } from '../../frame/collections.ts'
import { useTeam } from '../../frame/team.ts'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PreviewTable, rowsOf, type PreviewEnvironment } from './preview-table.tsx'

export default function Previews() {
  const team = useTeam()
  const { items, loading } = useCollection<PreviewEnvironment>('environments', { team })
  const rows = useMemo(() => rowsOf(items), [items])
  return (
    <>
      <PageHeader title="Previews" text="A branch that is pushed has an environment of its own. While nobody asks for it, it sleeps; the next request wakes it." />
      <PreviewTable rows={rows} loading={loading} />
    </>
  )
}
