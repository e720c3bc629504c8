/** The room of one incident: how it stands, what probably did it, what happened, what one does now. */
import { Button, Group, Text } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { appPath } from '../../frame/apps.ts'
import { useResource } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useShortcuts } from '../../frame/shortcuts.ts'
import { Ago } from '../../pieces/ago.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Keys } from '../../pieces/keys.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Stats, type Stat } from '../../pieces/stats.tsx'
import { Status } from '../../pieces/status.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { IncidentDialog, type DialogKind } from './incident-dialog.tsx'
import { IncidentTimeline } from './incident-timeline.tsx'
import { Roles } from './roles.tsx'
import { Suspects } from './suspects.tsx'
import { act as perform, postmortemPath, severityOf, sinceOf, spanText, stateOf, who, type Incident } from './reads.ts'

const crumbs = [{ label: 'Incidents', to: '/incidents' }]

export default function IncidentPage() {
  const { team = '', name = '' } = useParams({ strict: false })
  const { resource: incident, loading } = useResource<Incident>('incidents', team, name)
  if (loading) return <PageSkeleton />
  if (!incident) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`There is no incident ${name} in team ${team}.`} text="All there are:" commands={[`pavior incident list --team ${team}`]} />
      </>
    )
  }
  return <Room incident={incident} />
}

function Room({ incident }: { incident: Incident }) {
  const { metadata, spec, status = {} } = incident
  const team = metadata.namespace!
  const { severityReason, repeatOf, published, postmortem, suspects = [] } = status
  return (
    <>
      <PageHeader title={metadata.name} crumbs={crumbs} beside={<Status {...stateOf(incident)} />} text={<Text component="span" size="md" c="var(--mantine-color-text)">{spec.title}</Text>} actions={<Acts incident={incident} />} />
      <Text size="sm" mb="sm" component="div">
        <Status {...severityOf(incident)} /> {severityReason}{' '}
        {spec.app && (
          <GoLink size="sm" underline="always" to={appPath({ team, app: spec.app })} search={{ environment: spec.environment }}>
            {spec.app} in {spec.environment}
          </GoLink>
        )}{' '}
        {repeatOf && (
          <>
            It is like{' '}
            <GoLink size="sm" underline="always" to={`/incidents/${encodeURIComponent(team)}/${encodeURIComponent(repeatOf.name)}`}>
              {repeatOf.name}
            </GoLink>{' '}
            <Ago at={repeatOf.at} />; {repeatOf.times} in the 30 days before.
          </>
        )}
      </Text>
      <Stats stats={statsOf(incident)} />
      {published && (
        <Text size="sm" mt="xs">
          The status page says, <Ago at={published.at} />: “{published.text}”
        </Text>
      )}
      {postmortem && (
        <Text size="sm" mt="xs">
          <GoLink size="sm" underline="always" to={postmortemPath(team, postmortem)}>
            Its postmortem
          </GoLink>{' '}
          says what was learned.
        </Text>
      )}
      {suspects.length > 0 && <Suspects incident={incident} suspects={suspects} />}
      <Runbooks incident={incident} />
      <Roles incident={incident} />
      <Affected incident={incident} />
      <IncidentTimeline incident={incident} />
    </>
  )
}

function Acts({ incident }: { incident: Incident }) {
  const session = useSession()
  const [dialog, setDialog] = useState<DialogKind>()
  const { busy, error, act } = useAct()
  const { metadata, status } = incident
  const team = metadata.namespace!
  const may = mayAs(session, 'developer', team)
  const closed = status?.state === 'Closed'
  const mayAck = may && !closed && !status?.acknowledged
  const take = (): void => act(() => perform(team, metadata.name, 'acknowledge'))
  useShortcuts([
    ...(mayAck ? [{ keys: 'a', label: 'Take the incident', group: 'Incident', run: take }] : []),
    ...(may ? [{ keys: 'n', label: 'Write a note', group: 'Incident', run: () => setDialog('note') }] : []),
    ...(may && !closed ? [{ keys: 's', label: 'Move the incident', group: 'Incident', run: () => setDialog('state') }] : []),
    ...(may && !closed ? [{ keys: 'u', label: 'Tell the public', group: 'Incident', run: () => setDialog('update') }] : []),
  ])
  if (!may) return null
  const button = (kind: DialogKind, label: string, keys: string) => (
    <Button size="xs" variant="default" rightSection={<Keys keys={keys} hint />} onClick={() => setDialog(kind)}>
      {label}
    </Button>
  )
  return (
    <>
      <Group gap="xs">
        {button('note', 'Note', 'n')}
        {!closed && button('update', 'Update', 'u')}
        {!closed && button('state', 'Move', 's')}
        {mayAck && (
          <Button size="xs" loading={busy} rightSection={<Keys keys="a" hint />} onClick={take}>
            I take it
          </Button>
        )}
      </Group>
      {error && <ErrorState error={error} />}
      <IncidentDialog kind={dialog} incident={incident} close={() => setDialog(undefined)} />
    </>
  )
}

function statsOf(incident: Incident): Stat[] {
  const { acknowledged, alerts, impact, seconds } = incident.status ?? {}
  const worst = impact?.budgets[0]
  return [
    { label: 'Began', value: <Ago at={sinceOf(incident)} />, hint: seconds?.detect === undefined ? 'not known' : `detected after ${spanText(seconds.detect)}` },
    { label: 'With', value: acknowledged ? who(acknowledged.by) : 'nobody yet', hint: acknowledged ? `taken after ${spanText(seconds?.acknowledge)}` : 'press a to take it', ...(acknowledged ? {} : { tone: 'bad' as const }) },
    ...(alerts ? [{ label: 'Alerts', value: `${alerts.firing} firing`, hint: `of ${alerts.total}`, ...(alerts.firing > 0 ? { tone: 'bad' as const } : {}) }] : []),
    ...(impact ? [{ label: 'Failed requests', value: impact.failed, hint: `of ${impact.requests}, in ${impact.minutes} min` }] : []),
    ...(worst ? [{ label: 'Error budget', value: `${Number((worst.used * 100).toPrecision(3))} %`, hint: `of ${worst.slo} went` }] : []),
    { label: 'Well again', value: seconds?.restore === undefined ? 'not yet' : `after ${spanText(seconds.restore)}`, hint: 'since it was detected' },
  ]
}

function Runbooks({ incident: { metadata, spec, status } }: { incident: Incident }) {
  const { runbooks = [] } = status ?? {}
  if (runbooks.length === 0) return null
  const known = { incident: metadata.name, ...(spec.app === undefined ? {} : { app: spec.app }), ...(spec.environment === undefined ? {} : { environment: spec.environment }) }
  return (
    <Section title="Runbooks that fit">
      {runbooks.map(({ name, title, why, stale }) => (
        <Text key={name} size="sm">
          <GoLink size="sm" underline="always" to={`/runbooks/${encodeURIComponent(metadata.namespace!)}/${encodeURIComponent(name)}`} search={known}>
            {title}
          </GoLink>{' '}
          {why}
          {stale && ' It did not succeed for long.'}
        </Text>
      ))}
    </Section>
  )
}

function Affected({ incident: { metadata, status } }: { incident: Incident }) {
  const { apps = [], otherTeams = 0 } = status?.affected ?? {}
  if (apps.length < 2 && otherTeams === 0) return null
  return (
    <Section title="Whom it reaches">
      {apps.map(({ app, why }) => (
        <Text key={app} size="sm">
          <GoLink size="sm" underline="always" to={appPath({ team: metadata.namespace!, app })}>
            {app}
          </GoLink>{' '}
          {why}
        </Text>
      ))}
      {otherTeams > 0 && <Text size="sm">{otherTeams === 1 ? 'One app of another team calls it.' : `${otherTeams} apps of other teams call it.`}</Text>}
    </Section>
  )
}
