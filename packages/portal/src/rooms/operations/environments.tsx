/** What of an app runs where. */
import type { EnvironmentSpec, Resource } from '@pavior/contract'
import { Anchor, Table } from '@mantine/core'
import { useCollection } from '../../frame/collections.ts'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { appPath, useApp, useAppPlace, type App, type AppPlace } from '../../frame/apps.ts'

export default function Environments() {
  const place = useAppPlace()
  const { resource: app } = useApp(place)
  const { items, loading } = useCollection<Resource<EnvironmentSpec>>('environments', { team: place.team })
  if (!app || loading) return <RowsSkeleton />
  const names = [...new Set([...items.map(({ metadata }) => metadata.name), ...Object.keys(app.status?.environments ?? {})])].toSorted()
  return (
    <>
      <Table.ScrollContainer type="native" tabIndex={0} minWidth={480}>
        <Table aria-label="Environments" verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Environment</Table.Th>
              <Table.Th>Tier</Table.Th>
              <Table.Th>Serves</Table.Th>
              <Table.Th>Newest deployment</Table.Th>
              <Table.Th>Address</Table.Th>
              <Table.Th>Variables</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {names.map((name) => (
              <Row key={name} place={place} name={name} app={app} tier={items.find(({ metadata }) => metadata.name === name)?.spec.tier} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Section title="Deploy to another one">
        <CopyCommand command={`pavior deploy --app ${place.app} --team ${place.team} --environment staging`} />
      </Section>
    </>
  )
}

function Row({ place, name, app, tier }: { place: AppPlace; name: string; app: App; tier: string | undefined }) {
  const { url, release, deployment, phase } = app.status?.environments?.[name] ?? {}
  const variables = Object.keys(app.spec.config?.[name] ?? {}).length
  return (
    <Table.Tr>
      <Table.Td>
        <GoLink to={appPath(place)} search={{ environment: name }} fw={600}>
          {name}
        </GoLink>
      </Table.Td>
      <Table.Td>{tier ?? '–'}</Table.Td>
      <Table.Td>{release === undefined ? '–' : `v${release}`}</Table.Td>
      <Table.Td>
        {deployment ? (
          <GoLink to={appPath(place, 'deployments', deployment)} c="inherit">
            <Status word={phase ?? 'Pending'} />
          </GoLink>
        ) : (
          '–'
        )}
      </Table.Td>
      <Table.Td>
        {url ? (
          <Anchor inherit href={url} target="_blank" rel="noopener">
            {url.replace(/^https?:\/\//, '')}
          </Anchor>
        ) : (
          '–'
        )}
      </Table.Td>
      <Table.Td>
        <GoLink to={appPath(place, 'configuration')} search={{ environment: name }}>
          {variables}
        </GoLink>
      </Table.Td>
    </Table.Tr>
  )
}
