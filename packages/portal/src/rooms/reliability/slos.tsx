/** All objectives of the team: which are broken, which burn, how much is left. */
import { platformTeam } from '@pavior/contract'
import { Button, Text } from '@mantine/core'
import { IconPlus, IconTargetArrow } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useCollection } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { sloColumns } from './slo-columns.tsx'
import { byTrouble, sloPath, type Slo } from './reads.ts'

export default function Slos() {
  const team = useTeam()
  const session = useSession()
  const { items, loading } = useCollection<Slo>('slos', { team })
  // What the platform promises of itself has a page of its own.
  const ordered = useMemo(() => items.filter(({ metadata }) => team !== undefined || metadata.namespace !== platformTeam).toSorted(byTrouble), [items, team])
  const own = session.admin || Object.keys(session.roles).some((each) => mayAs(session, 'developer', each))
  return (
    <>
      <PageHeader
        title="Objectives"
        text="What is promised to users, and what is left of the errors that it allows. The platform proposes drafts for apps with traffic in production; they hold nothing until somebody confirms them."
        actions={
          own && (
            <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} renderRoot={(props) => <Link to="/kinds/slos/create" {...props} />}>
              Declare one
            </Button>
          )
        }
      />
      <DataTable
        label="objectives"
        rows={ordered}
        columns={sloColumns}
        rowKey={({ metadata }) => metadata.uid}
        href={sloPath}
        loading={loading}
        empty={<EmptyState icon={IconTargetArrow} title="Nothing is promised yet" text="An app with traffic in production gets two drafts within a minute. OpenSLO documents can be taken over." commands={['pavior slo import slos.yaml', 'pavior explain slo']} />}
      />
      {session.admin && (
        <Text size="sm" c="dimmed" mt="md">
          <GoLink size="sm" underline="always" to="/platform/objectives">
            What the platform promises of itself
          </GoLink>
        </Text>
      )}
    </>
  )
}
