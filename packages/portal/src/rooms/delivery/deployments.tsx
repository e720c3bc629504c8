/** Every deployment of an app, newest first, with the way back to an earlier release. */
import { Button } from '@mantine/core'
import { useMemo, useState } from 'react'
import { mayAs, useSession } from '../../frame/session.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Timeline } from '../../pieces/timeline.tsx'
import { buildEntry, deploymentEntry, inOrder, releasesByVersion } from '../../pieces/deployment-entry.tsx'
import { useApp, useAppPlace, useDeployments, useEnvironment, useReleases, useUnreleasedBuilds, type Deployment } from '../../frame/apps.ts'
import { RollBack } from './roll-back.tsx'

const pageSize = 50

export default function Deployments() {
  const place = useAppPlace()
  const session = useSession()
  const { environment, environments } = useEnvironment(place)
  const { items, loading } = useDeployments(place, environment)
  const releases = useReleases(place)
  const builds = useUnreleasedBuilds(place)
  const { resource: app } = useApp(place)
  const [shown, setShown] = useState(pageSize)
  const [chosen, setChosen] = useState<number>()
  const byVersion = useMemo(() => releasesByVersion(releases.items), [releases.items])
  const serving = app?.status?.environments?.[environment]?.release
  if (loading) return <RowsSkeleton />
  if (items.length + builds.length === 0) return <EmptyState title={`Nothing has been deployed to ${environment}.`} commands={[`pavior deploy --app ${place.app} --team ${place.team}`]} />
  const back = (deployment: Deployment) => mayAs(session, 'developer', place.team) && canGoBack(deployment, serving) && (
    <Button size="compact-xs" variant="default" onClick={() => setChosen(deployment.spec.release)} aria-label={`Roll back to v${deployment.spec.release}`}>
      Roll back to it
    </Button>
  )
  const entries = inOrder([...items.map((each) => ({ ...deploymentEntry(place, each, byVersion, environments.length > 1), actions: back(each) })), ...builds.map((each) => buildEntry(place, each))])
  return (
    <>
      <Timeline label="Deployments" entries={entries.slice(0, shown)} />
      {entries.length > shown && (
        <Button variant="subtle" size="xs" onClick={() => setShown(shown + pageSize)}>
          {entries.length - shown} earlier ones
        </Button>
      )}
      {serving !== undefined && <RollBack place={place} environment={environment} serving={serving} to={chosen} close={() => setChosen(undefined)} />}
    </>
  )
}

/** To what once served and does not serve now. */
export function canGoBack({ spec, status }: Deployment, serving: number | undefined): boolean {
  return serving !== undefined && status?.phase === 'Succeeded' && spec.release !== serving
}
