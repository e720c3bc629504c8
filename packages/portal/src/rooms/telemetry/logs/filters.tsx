/** Which instances' lines are shown, of which release: kept in the address. */
import { Select } from '@mantine/core'
import { useMemo } from 'react'
import { useDeployments, useEnvironment, useInstanceSets, type AppPlace } from '../../../frame/apps.ts'
import { useSearchParams, useSetSearchParams } from '../../../frame/search-params.ts'

export interface Filters {
  environment: string
  process?: string
  instance?: string
  release?: string
}

export function useFilters(place: AppPlace): Filters {
  const { environment } = useEnvironment(place)
  const { process, instance, release } = useSearchParams()
  return { environment, ...(process ? { process } : {}), ...(instance ? { instance } : {}), ...(release ? { release } : {}) }
}

export function FilterFields({ place }: { place: AppPlace }) {
  const { process, instance, release } = useFilters(place)
  const set = useSetSearchParams()
  const choices = useChoices(place)
  return (
    <>
      <Filter label="Process" value={process} data={choices.processes} choose={(next) => set({ process: next, instance: undefined })} />
      <Filter label="Instance" value={instance} data={choices.instances} choose={(next) => set({ instance: next })} width={220} />
      <Filter label="Release" value={release} data={choices.releases} choose={(next) => set({ release: next })} />
    </>
  )
}

interface FilterProps {
  label: string
  value: string | undefined
  data: string[]
  choose: (value: string | undefined) => void
  width?: number
}

function Filter({ label, value, data, choose, width = 120 }: FilterProps) {
  const known = value === undefined || data.includes(value) ? data : [value, ...data]
  return <Select size="xs" w={width} aria-label={label} placeholder={`Any ${label.toLowerCase()}`} clearable searchable={data.length > 8} data={known} value={value ?? null} onChange={(next) => choose(next ?? undefined)} />
}

function useChoices(place: AppPlace): { processes: string[]; instances: string[]; releases: string[] } {
  const { environment } = useEnvironment(place)
  const { items: sets } = useInstanceSets(place, environment)
  const { items: deployments } = useDeployments(place, environment)
  return useMemo(
    () => ({
      processes: [...new Set(sets.map(({ spec }) => spec.process))].toSorted(),
      instances: sets.flatMap(({ status }) => (status?.instances ?? []).map(({ name }) => name)).toSorted(),
      releases: [...new Set(deployments.map(({ spec }) => spec.release))].toSorted((one, other) => other - one).map((version) => `v${version}`),
    }),
    [sets, deployments],
  )
}
