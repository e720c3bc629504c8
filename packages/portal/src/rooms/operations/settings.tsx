/** Where an app answers, what declared it, and how to get rid of it. */
import { Anchor, Button, Table, Text } from '@mantine/core'
import type { Resource, RouteSpec } from '@pavior/contract'
import { useState, type ReactNode } from 'react'
import { remove, resourcePath } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { useGo } from '../../frame/navigation.ts'
import { genericHref } from '../../frame/registry.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { useApp, useAppPlace, useReleases, type App, type AppPlace } from '../../frame/apps.ts'

export default function Settings() {
  const place = useAppPlace()
  const session = useSession()
  const { resource: app } = useApp(place)
  if (!app) return <RowsSkeleton />
  return (
    <>
      <About place={place} app={app} />
      <Section title="Push to deploy">
        <CopyCommand command={`git remote add pavior ${location.origin}/git/${place.team}/${place.app}.git && git push pavior main`} />
      </Section>
      {mayAs(session, 'developer', place.team) && <Destroy place={place} app={app} />}
    </>
  )
}

function About({ place, app }: { place: AppPlace; app: App }) {
  const { items: routes } = useCollection<Resource<RouteSpec>>('routes', { team: place.team, fieldSelector: `spec.app=${place.app}` })
  const hosts = [...new Set(routes.flatMap(({ spec }) => spec.hosts.map((host) => `${host}${spec.path === '/' ? '' : (spec.path ?? '')}`)))]
  const url = Object.values(app.status?.environments ?? {}).find(({ url: own, preview }) => own && !preview)?.url
  const port = url ? new URL(url).port : ''
  const rows: [string, ReactNode][] = [
    ['Team', <GoLink key="team" to={`/teams/${place.team}`}>{place.team}</GoLink>],
    ['Declared by', app.spec.declaredBy ?? 'nothing yet'],
    ['Hosts', hosts.length === 0 ? '–' : hosts.map((host) => <Host key={host} host={host} port={port} />)],
    ['Time to answer', `${app.spec.requestTimeoutSeconds ?? 60} s at most`],
    ['Made', <Ago key="made" at={app.metadata.creationTimestamp} />],
    ['Everything', <GoLink key="all" to={genericHref('apps', place.team, place.app)}>Edit as form or YAML</GoLink>],
  ]
  return (
    <Table aria-label="About this app" variant="vertical" layout="fixed">
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th w={140}>{name}</Table.Th>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

function Host({ host, port }: { host: string; port: string }) {
  const [name = '', ...path] = host.split('/')
  const address = [`${name}${port === '' ? '' : `:${port}`}`, ...path].join('/')
  return (
    <div>
      <Anchor inherit href={`http://${address}`} target="_blank" rel="noopener">
        {address}
      </Anchor>
    </div>
  )
}

function Destroy({ place, app }: { place: AppPlace; app: App }) {
  const go = useGo()
  const { items: releases } = useReleases(place)
  const [asking, setAsking] = useState(false)
  const environments = Object.entries(app.status?.environments ?? {}).filter(([, { release }]) => release !== undefined)
  const destroy = async (): Promise<void> => {
    await remove(resourcePath('apps', place.team, place.app), { propagationPolicy: 'Foreground' })
    go('/apps')
  }
  return (
    <Section title="Delete this app">
      <Text size="sm" mb="xs">
        It stops, and its releases, configuration, routes, history and its repository here go. There is no way back.
      </Text>
      <Button size="xs" color="red" variant="outline" onClick={() => setAsking(true)}>
        Delete {place.app}
      </Button>
      <Confirm
        opened={asking}
        close={() => setAsking(false)}
        title={`Delete the app ${place.app}?`}
        losses={[...environments.map(([name, { url }]) => `${name} stops${url ? `; ${url} answers 404` : ''}.`), releases.length === 1 ? '1 release, its configuration and its history go.' : `${releases.length} releases, their configuration and their history go.`, 'Its repository on this platform goes with every branch, if it has one; copies elsewhere stay.']}
        action={`Delete ${place.app}`}
        name={place.app}
        confirm={destroy}
      />
    </Section>
  )
}
