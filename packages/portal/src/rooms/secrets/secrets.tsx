/** Every secret of a team. */
import { useCollection } from '../../frame/collections.ts'
import { useTeam } from '../../frame/team.ts'
import { PageHeader } from '../../pieces/page-header.tsx'
import type { Secret } from './reads.ts'
import { SecretsTable } from './secrets-table.tsx'
import { SetNew } from './set.tsx'

export default function Secrets() {
  const team = useTeam()
  const { items, loading } = useCollection<Secret>('secrets', team === undefined ? {} : { team })
  return (
    <>
      <PageHeader title="Secrets" text="Values that apps get and nobody reads. A new version is tried with one instance, and is taken back by itself when apps fail with it." actions={<SetNew team={team} />} />
      <SecretsTable items={items} loading={loading} />
    </>
  )
}
