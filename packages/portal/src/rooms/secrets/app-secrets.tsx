/** What an app gets: its own secrets and those of its team. */
import { Group } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { useCollection } from '../../frame/collections.ts'
import type { Secret } from './reads.ts'
import { SecretsTable } from './secrets-table.tsx'
import { SetNew } from './set.tsx'

export default function AppSecrets() {
  const { team = '', app = '' } = useParams({ strict: false })
  const { items, loading } = useCollection<Secret>('secrets', { team })
  return (
    <>
      <Group justify="flex-end" mb="xs">
        <SetNew team={team} app={app} />
      </Group>
      <SecretsTable items={items.filter(({ spec }) => spec.app === undefined || spec.app === app)} loading={loading} app={app} />
    </>
  )
}
