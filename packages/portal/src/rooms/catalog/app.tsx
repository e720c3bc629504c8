/** Everything about one app: its head, and the tabs that the rooms bring. */
import { Anchor, Button, Group, SegmentedControl } from '@mantine/core'
import { IconExternalLink } from '@tabler/icons-react'
import { Link, useParams } from '@tanstack/react-router'
import { lazy, Suspense, type ComponentType, type LazyExoticComponent } from 'react'
import { registeredRooms } from '../../frame/registry.ts'
import type { AppTab } from '../../frame/room.ts'
import { CopyButton } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Status } from '../../pieces/status.tsx'
import { NotFound } from '../../frame/not-found.tsx'
import { healthOf, urlOf } from '../../frame/app-health.ts'
import { appPath, useApp, useAppPlace, useEnvironment, type AppPlace } from '../../frame/apps.ts'
import classes from './app.module.css'

const loaded = new Map<AppTab, LazyExoticComponent<ComponentType>>()

function componentOf(tab: AppTab): LazyExoticComponent<ComponentType> {
  const known = loaded.get(tab) ?? lazy(tab.load)
  loaded.set(tab, known)
  return known
}

const usualOrder = 50

export default function AppPage() {
  const { tab: shown = '' } = useParams({ strict: false })
  const place = useAppPlace()
  const { resource, loading } = useApp(place)
  const tabs = registeredRooms()
    .flatMap(({ appTabs = [] }) => appTabs)
    .toSorted((one, other) => (one.order ?? usualOrder) - (other.order ?? usualOrder))
  const tab = tabs.find((each) => each.tab === shown)
  if (!tab) return <NotFound />
  if (!loading && !resource) return <Missing {...place} />
  const Tab = componentOf(tab)
  return (
    <>
      <Head place={place} />
      <nav className={classes.tabs} aria-label={`Parts of ${place.app}`}>
        {tabs.map((each) => (
          <Link key={each.tab} to={each.tab === '' ? appPath(place) : appPath(place, each.tab)} search={((previous: { environment?: string }) => (previous.environment === undefined ? {} : { environment: previous.environment })) as never} className={classes.tab} activeOptions={{ exact: true, includeSearch: false }}>
            {each.label}
          </Link>
        ))}
      </nav>
      <Suspense fallback={<RowsSkeleton />}>
        <Tab key={`${place.team}/${place.app}`} />
      </Suspense>
    </>
  )
}

function Head({ place }: { place: AppPlace }) {
  const { resource } = useApp(place)
  const { environment, environments, choose } = useEnvironment(place)
  const health = resource && healthOf(resource)
  const url = resource && urlOf(resource, environment)
  return (
    <PageHeader
      title={place.app}
      crumbs={[{ label: 'Apps', to: '/apps' }, { label: place.team, to: `/teams/${place.team}` }]}
      beside={health && <Status word={health.word} tone={health.tone} />}
      text={
        <Group gap={4} mih={22}>
          {resource?.spec.description}
          {url && (
            <>
              <Anchor size="sm" href={url} target="_blank" rel="noopener">
                {url.replace(/^https?:\/\//, '')}
              </Anchor>
              <CopyButton text={url} label="Copy the URL" />
            </>
          )}
        </Group>
      }
      actions={
        <>
          {environments.length > 1 && <SegmentedControl size="xs" aria-label="Environment" data={environments} value={environment} onChange={choose} />}
          {url && (
            <Button size="xs" variant="default" component="a" href={url} target="_blank" rel="noopener" rightSection={<IconExternalLink size={14} />}>
              Open
            </Button>
          )}
        </>
      }
    />
  )
}

function Missing({ team, app }: AppPlace) {
  return (
    <>
      <PageHeader title={app} crumbs={[{ label: 'Apps', to: '/apps' }]} />
      <EmptyState title={`There is no app ${app} in team ${team}.`} text="It may have been deleted, or it was never deployed. A deploy makes it:" commands={[`pavior deploy --app ${app} --team ${team}`]} />
    </>
  )
}
