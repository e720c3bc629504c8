/** One policy: its rules, how strict it is, and what it finds. */
import type { PolicySpec } from '@pavior/contract'
import { Alert, Code, SegmentedControl, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { patch, resourcePath } from '../../frame/api.ts'
import { useResource } from '../../frame/collections.ts'
import { useSession } from '../../frame/session.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton, RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { FindingsTable } from './findings.tsx'
import { findingsQuery, impactQuery, type Policy } from './reads.ts'
import { Word } from './words.tsx'

const crumbs = [{ label: 'Policies', to: '/policies' }]
const modes: PolicySpec['mode'][] = ['off', 'audit', 'warn', 'enforce']

export default function PolicyPage() {
  const { policy: name = '' } = useParams({ strict: false })
  const { resource, loading } = useResource<Policy>('policies', undefined, name)
  const { data, error } = useQuery(findingsQuery({ policy: name }, resource?.metadata.resourceVersion ?? ''))
  const { admin } = useSession()
  if (loading) return <PageSkeleton />
  if (!resource) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`There is no policy ${name}.`} commands={['pavior policy list']} />
      </>
    )
  }
  const { title, description } = resource.spec
  return (
    <>
      <PageHeader title={title} crumbs={crumbs} beside={<Word word={resource.spec.mode} />} text={description} actions={<GoLink to={`/kinds/policies/-/${name}`} size="sm">All settings and history</GoLink>} />
      <Errors policy={resource} />
      {admin && <Mode policy={resource} />}
      <Section title="Findings">
        {error && <ErrorState error={error} />}
        {!data && !error && <RowsSkeleton />}
        {data && <FindingsTable items={data.items} empty={<EmptyState title="Everything that lives keeps it" />} />}
      </Section>
      <Rules policy={resource} />
    </>
  )
}

function Errors({ policy: { status } }: { policy: Policy }) {
  const errors = status?.errors ?? []
  if (errors.length === 0) return null
  return (
    <Alert title="Rules that could not be judged" color="red" mb="md">
      {errors.map(({ rule, message }) => (
        <Text size="sm" key={rule}>
          {rule}: {message}
        </Text>
      ))}
    </Alert>
  )
}

/** With what enforcing it would refuse, before it is done. */
function Mode({ policy }: { policy: Policy }) {
  const { metadata, spec } = policy
  const { data: impact } = useQuery(impactQuery(policy))
  const [error, setError] = useState<Error>()
  const broken = impact?.teams.filter((team) => team.broken > 0) ?? []
  const change = (mode: string): void => {
    setError(undefined)
    patch(resourcePath('policies', undefined, metadata.name), { spec: { mode } }).catch(setError)
  }
  return (
    <Section title="How strict it is">
      <SegmentedControl data={modes} value={spec.mode} onChange={change} aria-label="Mode" />
      <Text size="sm" c="dimmed" mt={6} mih={20}>
        {impact &&
          (broken.length === 0
            ? `Of ${impact.judged} live things that it judges none would be refused.`
            : `Enforced, it would refuse the next change of what breaks it now: ${broken.map((team) => `${team.broken} in team ${team.team}`).join(', ')}, of ${impact.judged} that it judges.`)}
      </Text>
      {error && <ErrorState error={error} />}
    </Section>
  )
}

function Rules({ policy: { spec } }: { policy: Policy }) {
  return (
    <Section title="Rules">
      {spec.rules.map(({ name, expression, needs, fix }) => (
        <div key={name}>
          <Text size="sm" fw={600} mt="xs">
            {name}
          </Text>
          <Code block tabIndex={0} role="region" aria-label={`Expression of ${name}`}>
            {expression}
          </Code>
          {needs && (
            <Text size="sm" c="dimmed">
              Needs {needs.join(', ')}; unknown while that is not known.
            </Text>
          )}
          {fix && <Text size="sm">{fix}</Text>}
        </div>
      ))}
      <Text size="sm" c="dimmed" mt="sm">
        Judges {spec.match.kinds.join(', ')} at {spec.points.join(', ')}
        {spec.match.tiers && ` in ${spec.match.tiers.join(', ')}`}. A rule that fails counts as {spec.failure === 'closed' ? 'broken' : 'kept'}.
      </Text>
    </Section>
  )
}
