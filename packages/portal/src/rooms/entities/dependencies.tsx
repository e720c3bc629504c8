/** What an entity needs and what needs it: who says so, and what requests show. */
import type { CatalogOrigin, CatalogRelation } from '@pavior/contract'
import { Group, Table, Text } from '@mantine/core'
import { Ago } from '../../pieces/ago.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { percentText } from '../../pieces/number-text.ts'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { entityPath, partsOf } from './reads.ts'
import { rateText, toneOf } from './rates.ts'

const words: Record<CatalogOrigin, string> = { derived: 'configuration', traffic: 'requests', repository: 'catalog-info.yaml', import: 'an import' }

export function Dependencies({ relations }: { relations: CatalogRelation[] }) {
  const shown = relations.filter(({ type }) => type === 'dependsOn' || type === 'dependencyOf').toSorted((one, other) => other.type.localeCompare(one.type) || one.target.localeCompare(other.target))
  if (shown.length === 0) return null
  return (
    <Section title="Dependencies">
      <Table.ScrollContainer minWidth={560}>
        <Table aria-label="Dependencies">
          <Table.Thead>
            <Table.Tr>
              <Table.Th w={110}>Direction</Table.Th>
              <Table.Th>Name</Table.Th>
              <Table.Th>Known from</Table.Th>
              <Table.Th>Requests of the last hour</Table.Th>
              <Table.Th>Errors</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((relation) => (
              <Dependency key={`${relation.type} ${relation.target}`} relation={relation} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Section>
  )
}

function Dependency({ relation: { type, target, origins, traffic, unseen } }: { relation: CatalogRelation }) {
  const { namespace, name } = partsOf(target)
  return (
    <Table.Tr>
      <Table.Td>{type === 'dependsOn' ? 'Needs' : 'Needed by'}</Table.Td>
      <Table.Td>
        <Group gap={6} wrap="nowrap">
          <GoLink to={entityPath(target)} size="sm" fw={600}>
            {name}
          </GoLink>
          <Text span size="xs" c="dimmed">
            {namespace}
          </Text>
        </Group>
      </Table.Td>
      <Table.Td>{unseen ? <Status word="Declared, never seen" tone="warn" /> : origins.map((origin) => words[origin]).join(', ')}</Table.Td>
      <Table.Td>
        {traffic && (
          <>
            {rateText(traffic)}{' '}
            <Text span size="xs" c="dimmed">
              seen <Ago at={traffic.lastSeenAt} />
            </Text>
          </>
        )}
      </Table.Td>
      <Table.Td>{traffic && traffic.errorShare !== null && <Status word={percentText(traffic.errorShare, 1)} tone={toneOf(traffic.errorShare)} />}</Table.Td>
    </Table.Tr>
  )
}
