import { Anchor, Table, Title } from '@mantine/core'
import type { AppSpec, AppStatus, Resource } from '@pavior/contract'
import { useCollection } from '../../frame/collections.ts'

export default function Apps() {
  const { items, loading } = useCollection<Resource<AppSpec, AppStatus>>('apps')
  if (loading) return null
  return (
    <>
      <Title order={1}>Apps</Title>
      <Table>
        <Table.Tbody>
          {items.map(({ metadata, status }) => (
            <Table.Tr key={metadata.uid}>
              <Table.Td>{metadata.name}</Table.Td>
              <Table.Td>{metadata.namespace}</Table.Td>
              <Table.Td>
                {Object.entries(status?.environments ?? {}).map(([name, { url, phase }]) => (
                  <Anchor key={name} href={url}>
                    {name} {phase}
                  </Anchor>
                ))}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  )
}
