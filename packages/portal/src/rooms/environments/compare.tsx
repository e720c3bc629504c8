/** Any two environments side by side; the address keeps which. */
import { Button, Group, NativeSelect, Text } from '@mantine/core'
import type { AppPlace } from '../../frame/apps.ts'
import { useSearchParams, useSetSearchParams } from '../../frame/search-params.ts'
import { ErrorState } from '../../pieces/error-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Differences } from './differences.tsx'
import { useComparison } from './reads.ts'

interface CompareProps {
  place: AppPlace
  /** In their order. */
  environments: string[]
  serving: ReadonlyMap<string, number>
  promote: ((from: string, to: string) => void) | undefined
}

export function Compare({ place, environments, serving, promote }: CompareProps) {
  const params = useSearchParams()
  const set = useSetSearchParams()
  const known = environments.filter((name) => serving.has(name))
  const from = params.from !== undefined && environments.includes(params.from) ? params.from : known.at(-2)!
  const to = params.to !== undefined && environments.includes(params.to) ? params.to : known.at(-1)!
  const { data, error } = useComparison(place, from, to, `${serving.get(from)} ${serving.get(to)}`)
  return (
    <Section title="Compare">
      <Group gap="xs" align="end" mb="xs">
        <NativeSelect size="xs" label="This one" data={environments} value={from} onChange={({ currentTarget }) => set({ from: currentTarget.value, to })} />
        <NativeSelect size="xs" label="with" data={environments} value={to} onChange={({ currentTarget }) => set({ from, to: currentTarget.value })} />
        {promote && data && from !== to && (
          <Button size="xs" variant="default" onClick={() => promote(from, to)}>
            Promote {from} to {to}
          </Button>
        )}
      </Group>
      {from === to ? (
        <Text size="sm" c="dimmed">
          Choose two different ones.
        </Text>
      ) : error ? (
        <ErrorState error={error} />
      ) : data ? (
        <Differences comparison={data} words={{ added: `only in ${from}`, removed: `only in ${to}` }} />
      ) : (
        <RowsSkeleton count={2} />
      )}
    </Section>
  )
}
