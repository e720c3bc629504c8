/** Whether the app runs as it is declared, and what differs. Asked anew whenever the app or what it runs changes. */
import type { AppDrift } from '@pavior/contract'
import { Table } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { get } from '../../frame/api.ts'
import { appApi, type AppPlace } from '../../frame/apps.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'

export function Drift({ place, version }: { place: AppPlace; version: string }) {
  const { data, error } = useQuery({ queryKey: ['drift', place.team, place.app, version], queryFn: ({ signal }) => get<AppDrift>(appApi(place, 'drift'), signal), placeholderData: (before) => before, retry: false })
  const rows = (data?.environments ?? []).flatMap(({ environment, changing, differences }) => differences.map((one) => ({ environment, changing, ...one })))
  return (
    <Section title="Declared and running">
      {error && <ErrorState error={error} />}
      {data && rows.length === 0 && <Status word="Everything runs as declared" tone="good" />}
      {rows.length > 0 && (
        <Table.ScrollContainer minWidth={520}>
          <Table aria-label="What differs">
            <Table.Thead>
              <Table.Tr>
                {['Environment', 'What', 'Declared', 'Running'].map((label) => (
                  <Table.Th key={label}>{label}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map(({ environment, changing, what, name, field, declared, running }) => (
                <Table.Tr key={`${environment} ${what} ${name} ${field}`}>
                  <Table.Td>{changing ? <Status word={`${environment}: a deployment is on its way`} tone="busy" /> : environment}</Table.Td>
                  <Table.Td>
                    {what} {name} {field}
                  </Table.Td>
                  <Table.Td>{declared}</Table.Td>
                  <Table.Td>{running}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Section>
  )
}
