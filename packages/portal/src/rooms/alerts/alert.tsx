/** One alert: what is wrong, who has it, who was told; take it, end it, silence it. */
import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { appPath } from '../../frame/apps.ts'
import { useResource } from '../../frame/collections.ts'
import { genericHref } from '../../frame/registry.ts'
import { Ago } from '../../pieces/ago.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Stats, type Stat } from '../../pieces/stats.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { AlertActs } from './alert-acts.tsx'
import { Deliveries } from './deliveries.tsx'
import { logQuery, person, stateOf, type Alert } from './reads.ts'

const crumbs = [{ label: 'Alerts', to: '/alerts' }]

type Example = NonNullable<NonNullable<Alert['status']>['examples']>[number]

const exampleColumns: Column<Example>[] = [
  { key: 'what', label: 'What', value: ({ labels, text }) => text ?? (Object.entries(labels).map(([name, value]) => `${name}=${value}`).join(', ') || 'without labels') },
  { key: 'value', label: 'Figure', value: ({ value }) => value ?? null, width: '120px', align: 'right' },
  { key: 'since', label: 'Since', value: ({ since }) => since, show: ({ since }) => <Ago at={since} />, width: '110px', hideBelow: 'xs' },
]

export default function AlertPage() {
  const { team = '', name = '' } = useParams({ strict: false })
  const { resource: alert, loading } = useResource<Alert>('alerts', team, name)
  const log = useQuery(logQuery('alerts', alert))
  if (loading) return <PageSkeleton />
  if (!alert) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`There is no alert ${name} in team ${team}.`} text="What is over is kept for five weeks." commands={[`pavior alerts list --all --team ${team}`]} />
      </>
    )
  }
  const { spec, status = {} } = alert
  return (
    <>
      <PageHeader title={spec.summary} crumbs={crumbs} beside={<Status {...stateOf(alert)} />} actions={<AlertActs alert={alert} />} text={<Where alert={alert} />} />
      {status.quiet && (
        <Text size="sm" mb="sm">
          Nobody is told of it: {status.quiet.because.toLowerCase()} by {status.quiet.by}
          {status.quiet.until && <>, until <Ago at={status.quiet.until} /></>}.
        </Text>
      )}
      {status.acknowledged && (
        <Text size="sm" mb="sm">
          {person(status.acknowledged.by)} took it <Ago at={status.acknowledged.at} />{status.acknowledged.note ? `: ${status.acknowledged.note}` : '.'}
        </Text>
      )}
      <Stats stats={statsOf(alert)} />
      <Section title={(status.examples?.length ?? 0) < (status.members ?? 0) ? `The first ${status.examples?.length} of ${status.members} members` : 'Members'}>
        <DataTable label="members" name="members" rows={status.examples ?? []} columns={exampleColumns} rowKey={({ labels, since }) => JSON.stringify(labels) + since} empty={<span>None is known.</span>} />
      </Section>
      {status.affects && status.affects.length > 0 && (
        <Section title="What it affects">
          <Text size="sm">{status.affects.join(', ')} call what is broken here, and have trouble themselves. Nobody is told of theirs.</Text>
        </Section>
      )}
      <Section title="Who was told">
        {log.error ? <ErrorState error={log.error} /> : <Deliveries rows={log.data ?? []} loading={log.isPending} nothing="Nobody was sent a message. The bell tells of it all the same." />}
      </Section>
    </>
  )
}

function Where({ alert: { metadata, spec } }: { alert: Alert }) {
  const team = metadata.namespace!
  const plural = spec.source.kind === 'Slo' ? 'slos' : 'alertrules'
  const isLink = spec.runbook !== undefined && /^https?:\/\//.test(spec.runbook)
  return (
    <>
      <GoLink size="sm" to={plural === 'slos' ? `/slos/${encodeURIComponent(team)}/${encodeURIComponent(spec.source.name)}` : genericHref(plural, team, spec.source.name)}>
        {spec.source.kind === 'Slo' ? 'Objective' : 'Rule'} {spec.source.name}
      </GoLink>
      {spec.app && (
        <>
          {' · '}
          <GoLink size="sm" to={appPath({ team, app: spec.app })} search={{ environment: spec.environment }}>
            {spec.app} in {spec.environment}
          </GoLink>
        </>
      )}
      {spec.runbook && (
        <>
          {' · '}
          {isLink ? <Anchor size="sm" href={spec.runbook} rel="noreferrer" target="_blank">Runbook</Anchor> : `Runbook ${spec.runbook}`}
        </>
      )}
    </>
  )
}

function statsOf({ spec, status = {} }: Alert): Stat[] {
  const { escalation, members = 0, total = 0, since, resolvedAt, verdict } = status
  return [
    { label: 'Severity', value: spec.severity, hint: spec.severity === 'page' ? 'somebody is woken' : 'somebody looks in working hours' },
    { label: 'Members', value: members, hint: `${total} since it began` },
    { label: resolvedAt ? 'Over' : 'Since', value: <Ago at={resolvedAt ?? since} />, hint: resolvedAt && since ? <>it began <Ago at={since} /></> : 'when the first one fired' },
    { label: 'Told', value: escalation ? `level ${escalation.level}` : 'nobody', hint: escalation?.nextAt ? <>the next level <Ago at={escalation.nextAt} /></> : escalation ? `round ${escalation.round}` : '' },
    ...(verdict ? [{ label: 'Verdict', value: verdict === 'Noise' ? 'noise' : 'acted upon', hint: `counts for ${spec.source.name}` }] : []),
  ]
}
