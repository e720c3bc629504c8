/** A build: its steps and log while it runs, why it failed, and the way to the deployment that came of it. */
import { Button } from '@mantine/core'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { patch, resourcePath } from '../../frame/api.ts'
import { useResource } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ProblemState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Status } from '../../pieces/status.tsx'
import { appPath, useAppPlace, useDeployments, type AppPlace, type Build } from '../../frame/apps.ts'
import { BuildLog } from './deployment-logs.tsx'
import { BuildSteps } from './steps.tsx'

const underway = new Set(['Queued', 'Building'])

export default function BuildPage() {
  const place = useAppPlace()
  const { name = '' } = useParams({ strict: false })
  const { resource: build, loading } = useResource<Build>('builds', place.team, name)
  useDeploymentOf(place, build)
  const crumbs = [{ label: 'Apps', to: '/apps' }, { label: place.app, to: appPath(place) }, { label: 'Deployments', to: appPath(place, 'deployments') }]
  if (loading) return <RowsSkeleton />
  if (!build) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`There is no build ${name} of ${place.app}.`} text="Old builds are forgotten after a while; the newest are kept." />
      </>
    )
  }
  const { metadata, spec, status } = build
  const { message, commit, branch, author } = spec.revision
  const about = [status?.builder, message, commit?.slice(0, 7), branch, author].filter(Boolean).join(' · ')
  return (
    <>
      <PageHeader
        title={metadata.name}
        crumbs={crumbs}
        beside={<Status word={status?.phase ?? 'Queued'} />}
        text={
          <>
            {about} {about && '·'} <Ago at={metadata.creationTimestamp} />
          </>
        }
        actions={<Cancel place={place} build={build} />}
      />
      {status?.problem && <ProblemState problem={status.problem} />}
      <BuildSteps build={build} />
      <BuildLog team={place.team} build={metadata.name} open />
    </>
  )
}

/** Whoever watches a build comes along to its rollout. */
function useDeploymentOf(place: AppPlace, build: Build | undefined): void {
  const navigate = useNavigate()
  const { items } = useDeployments(place)
  const watched = useRef(false)
  if (underway.has(build?.status?.phase ?? '')) watched.current = true
  const name = build && items.find(({ metadata }) => metadata.labels?.['pavior.dev/build'] === build.metadata.name)?.metadata.name
  const { team, app } = place
  useEffect(() => {
    if (name !== undefined && watched.current) void navigate({ to: appPath({ team, app }, 'deployments', name), replace: true })
  }, [name, navigate, team, app])
}

function Cancel({ place, build: { metadata, spec, status } }: { place: AppPlace; build: Build }) {
  const session = useSession()
  const [asking, setAsking] = useState(false)
  if (!mayAs(session, 'developer', place.team) || !underway.has(status?.phase ?? '')) return null
  return (
    <>
      <Button size="xs" variant="default" disabled={spec.canceled === true} onClick={() => setAsking(true)}>
        {spec.canceled ? 'Canceling' : 'Cancel'}
      </Button>
      <Confirm opened={asking} close={() => setAsking(false)} title="Cancel this build?" losses={['What serves goes on serving.']} action="Cancel it" harmless confirm={() => patch(resourcePath('builds', place.team, metadata.name), { spec: { canceled: true } })} />
    </>
  )
}
