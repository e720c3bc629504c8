/** What policies find of an app, and the exceptions that it lives with. */
import type { PolicyFinding } from '@pavior/contract'
import { Text } from '@mantine/core'
import { IconGavel } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useCollection } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { AskButton } from './ask.tsx'
import { ExceptionsTable } from './exceptions-table.tsx'
import { FindingList } from './finding-list.tsx'
import { findingsQuery, newestOf, phaseOf, type Policy, type PolicyException } from './reads.ts'

export default function AppPolicies() {
  const { team = '', app = '' } = useParams({ strict: false })
  const { items: policies } = useCollection<Policy>('policies')
  const { items: all } = useCollection<PolicyException>('policyexceptions', { team })
  const exceptions = all.filter(({ spec }) => spec.app === undefined || spec.app === app)
  const { data, error } = useQuery(findingsQuery({ team, app }, `${newestOf(policies)}/${newestOf(exceptions)}`))
  const may = mayAs(useSession(), 'developer', team)
  const open = (policy: string): boolean => exceptions.some((one) => one.spec.policy === policy && ['Requested', 'Granted'].includes(phaseOf(one)))
  const action = (finding: PolicyFinding): ReactNode => {
    if (finding.outcome !== 'broken') return null
    if (open(finding.policy)) return <Text size="sm" c="dimmed">An exception is asked for.</Text>
    return may ? <AskButton finding={finding} /> : null
  }
  if (error) return <ErrorState error={error} />
  if (!data) return <RowsSkeleton />
  return (
    <>
      {exceptions.length > 0 && (
        <Section title="Exceptions">
          <ExceptionsTable items={exceptions} />
        </Section>
      )}
      <Section title="Findings">
        {data.items.length === 0 ? <EmptyState icon={IconGavel} title="It keeps every policy" text="Each is asked again at every deploy." commands={[`pavior policy findings ${app}`]} /> : <FindingList items={data.items} action={action} />}
      </Section>
    </>
  )
}
