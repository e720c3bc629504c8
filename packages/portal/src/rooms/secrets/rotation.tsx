/** How far the newest change of the version in force is, place by place, as it moves. */
import type { Rotation } from '@pavior/contract'
import { Table, Text } from '@mantine/core'
import { Ago } from '../../pieces/ago.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { targetTones } from './reads.ts'

export function RotationProgress({ team, rotation }: { team: string; rotation: Rotation }) {
  return (
    <Section title={`Version ${rotation.version}`}>
      <Text size="sm" mb="xs" role="status">
        {rotation.message} <Text span size="sm" c="dimmed">
          {rotation.by} began <Ago at={rotation.startedAt} />.
        </Text>
      </Text>
      {rotation.targets.length > 0 && (
        <Table aria-label="Where it is brought out" verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Place</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th visibleFrom="sm">Deployment</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rotation.targets.map(({ app, environment, state, deployment, message }) => (
              <Table.Tr key={`${app}/${environment}`}>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>
                  {app} → {environment}
                </Table.Td>
                <Table.Td title={message}>
                  <Status word={state} tone={targetTones[state] ?? 'idle'} />
                </Table.Td>
                <Table.Td visibleFrom="sm">{deployment ? <GoLink to={`/apps/${team}/${app}/deployments/${deployment}`} size="sm">{deployment}</GoLink> : '–'}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Section>
  )
}
