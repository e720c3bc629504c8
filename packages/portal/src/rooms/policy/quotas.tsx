/** How much each team may use, and does. */
import type { QuotaSpec, Resource, TeamQuota } from '@pavior/contract'
import { Button, Group, Modal, NumberInput, Progress, Stack, Table, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { patch, post, resourcePath } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { useSession } from '../../frame/session.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { newestOf, quotasQuery } from './reads.ts'

type Limit = keyof QuotaSpec
const names: Record<Limit, string> = { apps: 'Apps', environments: 'Environments', instances: 'Instances', cpu: 'CPU cores', memoryMib: 'Memory (MiB)', buildsPerDay: 'Builds a day' }
const limits = Object.keys(names) as Limit[]
/** Percent of a limit from which on it is near. */
const near = 80

export default function Quotas() {
  const { items: quotas } = useCollection<Resource<QuotaSpec>>('quotas')
  const { items: apps } = useCollection('apps')
  const { data, error } = useQuery(quotasQuery(`${newestOf(quotas)} ${newestOf(apps)}`))
  const { admin } = useSession()
  const [edited, edit] = useState<TeamQuota>()
  return (
    <>
      <PageHeader title="Quotas" text="How much each team may use, and does. What would go beyond a limit is refused where it is asked for." />
      {error && <ErrorState error={error} />}
      {!data && !error && <RowsSkeleton />}
      {data && <Teams items={data.items} edit={admin ? edit : undefined} />}
      <Modal opened={edited !== undefined} onClose={() => edit(undefined)} title={`Quota of team ${edited?.team}`} closeButtonProps={{ 'aria-label': 'Close' }}>
        {edited && <Limits quota={edited} exists={quotas.some(({ metadata }) => metadata.name === edited.team)} close={() => edit(undefined)} />}
      </Modal>
    </>
  )
}

function Teams({ items, edit }: { items: TeamQuota[]; edit: ((quota: TeamQuota) => void) | undefined }) {
  return (
    <Table.ScrollContainer type="native" tabIndex={0} minWidth={720}>
      <Table aria-label="Quotas" verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Team</Table.Th>
            {limits.map((limit) => <Table.Th key={limit}>{names[limit]}</Table.Th>)}
            {edit && <Table.Th aria-label="Change" />}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((item) => (
            <Table.Tr key={item.team}>
              <Table.Th scope="row">{item.team}</Table.Th>
              {limits.map((limit) => (
                <Table.Td key={limit}>
                  <Use name={`${names[limit]} of ${item.team}`} used={item.used[limit]} limit={item.limits[limit]} />
                </Table.Td>
              ))}
              {edit && (
                <Table.Td>
                  <Button size="compact-xs" variant="default" aria-label={`Change the quota of ${item.team}`} onClick={() => edit(item)}>
                    Change
                  </Button>
                </Table.Td>
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}

function Use({ name, used, limit }: { name: string; used: number; limit: number | undefined }) {
  const percent = limit === undefined ? 0 : limit === 0 ? 100 : (100 * used) / limit
  return (
    <>
      <Text size="sm" className="nowrap">
        {used}{' '}
        <Text span size="xs" c="dimmed">
          {limit === undefined ? 'no limit' : `of ${limit}`}
        </Text>
      </Text>
      {limit !== undefined && <Progress value={Math.min(100, percent)} size={4} color={percent >= near ? 'orange' : undefined} aria-label={name} />}
    </>
  )
}

function Limits({ quota: { team, limits: before, used }, exists, close }: { quota: TeamQuota; exists: boolean; close: () => void }) {
  const [wanted, want] = useState<Partial<Record<Limit, number | null>>>(before)
  const { busy, error, act } = useAct()
  const save = (): void =>
    act(async () => {
      const spec = Object.fromEntries(limits.map((limit) => [limit, wanted[limit] ?? null]))
      const given = Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== null))
      await (exists ? patch(resourcePath('quotas', undefined, team), { spec }) : post(resourcePath('quotas'), { metadata: { name: team }, spec: given }))
      close()
    })
  return (
    <Stack gap="xs">
      {limits.map((limit) => (
        <NumberInput key={limit} label={names[limit]} description={`${used[limit]} in use; empty is no limit`} min={0} allowDecimal={limit === 'cpu'} value={wanted[limit] ?? ''} onChange={(value) => want({ ...wanted, [limit]: value === '' ? null : Number(value) })} />
      ))}
      {error && <ErrorState error={error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button loading={busy} onClick={save}>
          Save
        </Button>
      </Group>
    </Stack>
  )
}
