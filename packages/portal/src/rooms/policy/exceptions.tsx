/** Exceptions of every team: what waits for a decision, and what everybody lives with. */
import { useCollection } from '../../frame/collections.ts'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { ExceptionsTable } from './exceptions-table.tsx'
import { Deviations } from './deviations.tsx'
import { newestOf, phaseOf, type PolicyException } from './reads.ts'

export default function Exceptions() {
  const { items, loading } = useCollection<PolicyException>('policyexceptions')
  const waiting = items.filter((one) => phaseOf(one) === 'Requested')
  const others = items.filter((one) => phaseOf(one) !== 'Requested')
  return (
    <>
      <PageHeader title="Exceptions" text="Deviations from policies. Each has an owner, a reason and an end; at its end the policy is enforced again." />
      {loading ? (
        <RowsSkeleton />
      ) : (
        <>
          {waiting.length > 0 && (
            <Section title="Waiting for a decision">
              <ExceptionsTable items={waiting} name="waiting" />
            </Section>
          )}
          <Deviations seen={newestOf(items)} />
          <Section title="Decided">
            <ExceptionsTable items={others} />
          </Section>
        </>
      )}
    </>
  )
}
