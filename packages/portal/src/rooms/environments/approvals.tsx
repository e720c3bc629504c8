/** What waits for somebody to agree, in one's teams. */
import { Anchor } from '@mantine/core'
import { IconChecks } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useApprovals, type Approvals as Waiting } from '../../frame/approvals.ts'
import { appPath } from '../../frame/apps.ts'
import { useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'

type Row = Waiting['waiting'][number]

const hrefOf = ({ deployment: { metadata, spec } }: Row): string => appPath({ team: metadata.namespace!, app: spec.app }, 'deployments', metadata.name)

const columns: Column<Row>[] = [
  { key: 'app', label: 'App', value: ({ deployment }) => deployment.spec.app },
  { key: 'team', label: 'Team', value: ({ deployment }) => deployment.metadata.namespace, width: '110px', hideBelow: 'sm' },
  { key: 'what', label: 'What', value: ({ deployment: { spec } }) => `v${spec.release} to ${spec.environment}` },
  { key: 'why', label: 'Why', value: ({ deployment: { spec } }) => spec.reason, hideBelow: 'sm' },
  { key: 'approved', label: 'Approved by', value: ({ deployment: { status } }) => (status?.approvals ?? []).map(({ by }) => by.replace(/^user:/, '')).join(', ') || 'nobody yet', hideBelow: 'md' },
  { key: 'since', label: 'Since', value: ({ deployment }) => deployment.metadata.creationTimestamp, show: ({ deployment }) => <Ago at={deployment.metadata.creationTimestamp} />, width: '110px', hideBelow: 'xs' },
  {
    key: 'you',
    label: 'You',
    value: ({ may }) => (may ? 'may approve' : 'wait'),
    show: (row) =>
      row.may ? (
        <Anchor size="sm" fw={600} renderRoot={(props) => <Link to={hrefOf(row)} {...props} />}>
          Review
        </Anchor>
      ) : (
        <Status word="not yours" tone="idle" />
      ),
    width: '110px',
  },
]

export default function Approvals() {
  const session = useSession()
  const team = useTeam()
  const { waiting, loading } = useApprovals(session, team)
  return (
    <>
      <PageHeader title="Approvals" text="Deployments that wait until somebody who did not make the change agrees." />
      <DataTable
        label="approvals"
        rows={waiting}
        columns={columns}
        rowKey={({ deployment }) => deployment.metadata.uid}
        href={hrefOf}
        loading={loading}
        empty={<EmptyState icon={IconChecks} title="Nothing waits for approval." text="An environment asks for approvals when its protection says so; deployments to it then wait here." commands={['pavior explain environments.spec.protection']} />}
      />
    </>
  )
}
