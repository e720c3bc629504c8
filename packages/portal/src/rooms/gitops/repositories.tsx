/** Repositories of the team that declare resources. */
import { Button } from '@mantine/core'
import { IconGitMerge, IconPlus } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useCollection } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { repositoryPath, stateOf, type ConfigRepo } from './state.ts'

const columns: Column<ConfigRepo>[] = [
  { key: 'name', label: 'Repository', value: ({ metadata }) => metadata.name, width: '24%' },
  { key: 'state', label: 'State', value: (repo) => stateOf(repo).word, show: (repo) => <Status {...stateOf(repo)} />, width: '140px' },
  { key: 'commit', label: 'Commit', value: ({ status }) => status?.commit?.slice(0, 10) ?? '', width: '110px', hideBelow: 'sm' },
  { key: 'message', label: 'Message', value: ({ status }) => status?.commits?.[0]?.message ?? '', hideBelow: 'md' },
  { key: 'owns', label: 'Owns', value: ({ status }) => status?.inventory?.length ?? 0, width: '80px', align: 'right', hideBelow: 'xs' },
  { key: 'at', label: 'Applied', value: ({ status }) => status?.commits?.[0]?.at ?? '', show: ({ status }) => <Ago at={status?.commits?.[0]?.at} />, width: '110px' },
]

export default function Repositories() {
  const team = useTeam()
  const session = useSession()
  const { items, loading } = useCollection<ConfigRepo>('configrepos', { team })
  const own = session.admin || Object.keys(session.roles).some((each) => mayAs(session, 'admin', each))
  return (
    <>
      <PageHeader
        title="Repositories"
        text="Git repositories that declare resources. What they declare is so, and stays so: a commit is applied whole or not at all."
        actions={
          own && (
            <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} renderRoot={(props) => <Link to="/kinds/configrepos/create" {...props} />}>
              Add a repository
            </Button>
          )
        }
      />
      <DataTable
        label="repositories"
        rows={items}
        columns={columns}
        rowKey={({ metadata }) => metadata.uid}
        href={({ metadata }) => repositoryPath(metadata.namespace!, metadata.name)}
        loading={loading}
        empty={<EmptyState icon={IconGitMerge} title="No repository declares anything" text="One that is kept here is pushed to like an app, and applies at once what its main branch holds." commands={['pavior gitops init config', 'git push pavior main']} />}
      />
    </>
  )
}
