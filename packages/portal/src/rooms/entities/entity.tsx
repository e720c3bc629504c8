/** One entity: what it is, who answers for it, what it is connected with, and where words and facts differ. */
import type { CatalogDetails, CatalogOrigin, CatalogRelation } from '@pavior/contract'
import { Anchor, Badge, Button, Group, SegmentedControl, Skeleton, Table, Text } from '@mantine/core'
import { IconExternalLink } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { ApiError } from '../../frame/api.ts'
import { useSearchParam } from '../../frame/search-params.ts'
import { Ago } from '../../pieces/ago.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Dependencies } from './dependencies.tsx'
import { entityPath, entityQuery, partsOf } from './reads.ts'

const Graph = lazy(() => import('./graph.tsx'))

/** As Backstage names relations, in words. */
const words: Record<string, string> = {
  ownedBy: 'Owned by', ownerOf: 'Owns', partOf: 'Part of', hasPart: 'Has part', dependsOn: 'Depends on', dependencyOf: 'Needed by', providesApi: 'Provides', apiProvidedBy: 'Provided by',
  consumesApi: 'Consumes', apiConsumedBy: 'Consumed by', memberOf: 'Member of', hasMember: 'Members', childOf: 'Below', parentOf: 'Above',
}
const origins: Record<CatalogOrigin, string> = { derived: 'what runs', traffic: 'requests', repository: 'catalog-info.yaml', import: 'an import' }

export default function EntityPage() {
  const { kind = '', namespace = '', name = '' } = useParams({ strict: false })
  const ref = `${kind}:${namespace}/${name}`
  const { data, error } = useQuery(entityQuery(ref))
  if (error instanceof ApiError && error.status === 404) {
    return (
      <>
        <PageHeader title={name} crumbs={[{ label: 'Catalogue', to: '/catalog' }]} />
        <EmptyState title={`The catalogue has no ${ref}.`} text="It may have been named by somebody and never declared, or be gone." commands={[`pavior catalog list ${name}`]} />
      </>
    )
  }
  if (error) return <ErrorState error={error} />
  if (!data) return <PageSkeleton />
  return <Entity details={data} />
}

function Entity({ details }: { details: CatalogDetails }) {
  const { ref, entity, origins: known, drift, relations, changedAt } = details
  const { metadata, spec = {} } = entity
  const app = metadata.annotations?.['pavior.dev/app']
  return (
    <>
      <PageHeader
        title={metadata.title ?? metadata.name}
        crumbs={[{ label: 'Catalogue', to: '/catalog' }]}
        beside={<Badge variant="light" color="gray">{[partsOf(ref).kind, spec.type, spec.lifecycle].filter(Boolean).join(' · ')}</Badge>}
        text={
          <>
            {metadata.description}
            <Text size="sm" c="dimmed">
              Known from {known.map((origin) => origins[origin]).join(' and ')}, changed <Ago at={changedAt} />
            </Text>
          </>
        }
        actions={
          app && (
            <Button size="xs" variant="default" renderRoot={(props) => <Link to={`/apps/${app}`} {...props} />}>
              Go to the app
            </Button>
          )
        }
      />
      <Group gap="md" mb="sm">
        {metadata.links?.map(({ url, title }) => (
          <Anchor key={url} size="sm" href={url} target="_blank" rel="noopener noreferrer">
            {title ?? url} <IconExternalLink size={12} aria-hidden />
          </Anchor>
        ))}
        {metadata.tags?.map((tag) => (
          <Badge key={tag} size="sm" variant="outline" color="gray">
            {tag}
          </Badge>
        ))}
      </Group>
      {drift.length > 0 && <Drift drift={drift} />}
      <Dependencies relations={relations} />
      <Relations relations={relations} />
      <Connections entity={ref} />
    </>
  )
}

function Drift({ drift }: { drift: CatalogDetails['drift'] }) {
  return (
    <Section title="Declared and observed differ">
      <Table.ScrollContainer minWidth={420}>
      <Table aria-label="Differences">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Field</Table.Th>
            <Table.Th>Declared</Table.Th>
            <Table.Th>Observed</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {drift.map(({ field, declared, observed }) => (
            <Table.Tr key={field}>
              <Table.Td>{field}</Table.Td>
              <Table.Td>{textOf(declared)}</Table.Td>
              <Table.Td>{textOf(observed)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      </Table.ScrollContainer>
    </Section>
  )
}

function textOf(value: unknown): string {
  const items = Array.isArray(value) ? value.map(String) : [String(value)]
  return items.length === 0 ? 'nothing' : items.join(', ')
}

const plain = ({ type }: CatalogRelation): boolean => type !== 'dependsOn' && type !== 'dependencyOf'

function Relations({ relations }: { relations: CatalogDetails['relations'] }) {
  const types = [...new Set(relations.filter(plain).map(({ type }) => type))].toSorted()
  if (types.length === 0) return null
  return (
    <Section title="Connected with">
      <Table aria-label="Relations" variant="vertical" layout="fixed">
        <Table.Tbody>
          {types.map((type) => (
            <Table.Tr key={type}>
              <Table.Th w={140}>{words[type] ?? type}</Table.Th>
              <Table.Td>
                <Group gap="sm">
                  {relations.filter((one) => one.type === type).map(({ target }) => (
                    <GoLink key={target} to={entityPath(target)} size="sm">
                      {partsOf(target).name}
                    </GoLink>
                  ))}
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  )
}

const depths = ['1', '2', '3']

function Connections({ entity }: { entity: string }) {
  const [depth = '1', setDepth] = useSearchParam('depth')
  return (
    <Section title="Graph">
      <Group gap="xs" mb="xs">
        <Text size="sm" c="dimmed">
          Steps from here
        </Text>
        <SegmentedControl size="xs" aria-label="Steps from here" data={depths} value={depths.includes(depth) ? depth : '1'} onChange={(value) => setDepth(value)} />
      </Group>
      <Suspense fallback={<Skeleton height={440} />}>
        <Graph entity={entity} depth={Number(depths.includes(depth) ? depth : '1')} />
      </Suspense>
    </Section>
  )
}
