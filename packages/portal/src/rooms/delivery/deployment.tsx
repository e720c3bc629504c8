/** One deployment: its steps as they happen, why it failed, what it changed, and its build log. */
import { Anchor, Button, Group, Text } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { useResource } from '../../frame/collections.ts'
import { isOver } from '../../frame/phases.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ProblemState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { appPath, useApp, useAppPlace, useDeployments, useReleases, type AppPlace, type Build, type Deployment, type Release } from '../../frame/apps.ts'
import { canGoBack } from './deployments.tsx'
import { Controls } from './controls.tsx'
import { DeploymentChanges } from './deployment-changes.tsx'
import { BuildLog, LastLines } from './deployment-logs.tsx'
import { RollBack } from './roll-back.tsx'
import { Steps } from './steps.tsx'
import { Trial } from './trial.tsx'
import { WaitingFor } from './waiting.tsx'

const buildLabel = 'pavior.dev/build'
const unspoken = new Set(['CANCELED', 'SUPERSEDED', 'BRANCH_NOT_ALLOWED', 'PROMOTION_REQUIRED'])

export default function DeploymentPage() {
  const place = useAppPlace()
  const { name = '' } = useParams({ strict: false })
  const { resource, loading } = useResource<Deployment>('deployments', place.team, name)
  const { items: releases } = useReleases(place)
  const crumbs = [{ label: 'Apps', to: '/apps' }, { label: place.app, to: appPath(place) }, { label: 'Deployments', to: appPath(place, 'deployments') }]
  if (loading) return <RowsSkeleton />
  if (!resource) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`There is no deployment ${name} of ${place.app}.`} text="Old deployments are forgotten after a while; the newest are kept." />
      </>
    )
  }
  const release = releases.find(({ spec }) => spec.version === resource.spec.release)
  return <Known place={place} deployment={resource} release={release} crumbs={crumbs} />
}

interface KnownProps {
  place: AppPlace
  deployment: Deployment
  release: Release | undefined
  crumbs: { label: string; to: string }[]
}

function Known({ place, deployment, release, crumbs }: KnownProps) {
  const { metadata, spec, status } = deployment
  const phase = status?.phase ?? 'Pending'
  const buildName = metadata.labels?.[buildLabel] ?? ''
  const { resource: build } = useResource<Build>('builds', place.team, buildName)
  const revision = release?.spec.revision
  const about = [spec.reason, revision?.message, revision?.commit?.slice(0, 7), revision?.branch, revision?.author].filter(Boolean).join(' · ')
  return (
    <>
      <PageHeader
        title={`v${spec.release} to ${spec.environment}`}
        crumbs={crumbs}
        beside={<Status word={phase} />}
        text={
          <>
            {about} · <Ago at={metadata.creationTimestamp} />
          </>
        }
        actions={<Actions place={place} deployment={deployment} />}
      />
      {status?.problem ? <ProblemState problem={status.problem} /> : <Message place={place} deployment={deployment} />}
      <WaitingFor deployment={deployment} />
      <Trial place={place} deployment={deployment} />
      <Steps build={build} deployment={deployment} />
      {hasLines(status?.problem) && <LastLines place={place} deployment={deployment} />}
      <DeploymentChanges place={place} deployment={deployment} />
      {build && <BuildLog team={place.team} build={build.metadata.name} open={build.status?.phase === 'Building'} />}
      <Section title="More">
        <Group gap="md">
          <GoLink size="sm" to={appPath(place, 'logs')} search={{ release: `v${spec.release}`, environment: spec.environment }}>
            Log of v{spec.release}
          </GoLink>
          <GoLink size="sm" to={appPath(place)} search={{ environment: spec.environment }}>
            How {place.app} is doing now
          </GoLink>
        </Group>
      </Section>
    </>
  )
}

/** What was aborted or overtaken has no last words worth reading. */
function hasLines(problem: { code: string } | undefined): boolean {
  return problem !== undefined && !unspoken.has(problem.code)
}

/** What it is doing, or what became of it: a deployment that went well may have been followed by others. */
function Message({ place, deployment: { spec, status } }: { place: AppPlace; deployment: Deployment }) {
  const { resource: app } = useApp(place)
  const serving = app?.status?.environments?.[spec.environment]?.release
  const over = status?.phase === 'Succeeded' && serving !== undefined && serving !== spec.release
  return (
    <Text size="sm" role="status" mih={22}>
      {over ? `v${spec.release} served; v${serving} serves now.` : status?.message}{' '}
      {status?.phase === 'Succeeded' && !over && status.url && (
        <Anchor inherit href={status.url} target="_blank" rel="noopener">
          {status.url.replace(/^https?:\/\//, '')}
        </Anchor>
      )}
    </Text>
  )
}

function Actions({ place, deployment }: { place: AppPlace; deployment: Deployment }) {
  const session = useSession()
  const { resource: app } = useApp(place)
  const { items } = useDeployments(place, deployment.spec.environment)
  const [going, setGoing] = useState<number>()
  const { spec, status } = deployment
  const serving = app?.status?.environments?.[spec.environment]?.release
  if (!mayAs(session, 'developer', place.team)) return null
  if (!isOver(status?.phase)) return <Controls deployment={deployment} serving={serving} />
  const target = spec.release === serving ? previousOf(items, serving) : canGoBack(deployment, serving) ? spec.release : undefined
  if (target === undefined || serving === undefined) return null
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setGoing(target)}>
        Roll back to v{target}
      </Button>
      <RollBack place={place} environment={spec.environment} serving={serving} to={going} close={() => setGoing(undefined)} />
    </>
  )
}

/** The last release that served before the one that serves now; the newest deployment comes first. */
function previousOf(deployments: Deployment[], serving: number | undefined): number | undefined {
  return deployments.find(({ spec, status }) => status?.phase === 'Succeeded' && spec.release !== serving)?.spec.release
}
