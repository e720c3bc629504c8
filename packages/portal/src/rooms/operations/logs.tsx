/** The log of an app as it is written, from all instances or some. */
import { Select } from '@mantine/core'
import { useMemo } from 'react'
import { useSearchParams, useSetSearchParams } from '../../frame/search-params.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { useLogLines } from '../../pieces/log-lines.ts'
import { logLevels, type LogLevel } from '@pavior/contract'
import { LogView } from '../../pieces/log-view.tsx'
import { appApi, useAppPlace, useDeployments, useEnvironment, useInstanceSets } from '../../frame/apps.ts'

const firstLines = 2000

export default function Logs() {
  const place = useAppPlace()
  const { environment } = useEnvironment(place)
  const { process, instance, release, search = '', level } = useSearchParams()
  const set = useSetSearchParams()
  const choices = useChoices()
  const filters = new URLSearchParams({ environment, ...(process ? { process } : {}), ...(instance ? { instance } : {}), ...(release ? { release } : {}) }).toString()
  const path = appApi(place, `logs?follow=1&${filters}`)
  const log = useLogLines((since) => (since === undefined ? `${path}&tail=${firstLines}` : `${path}&since=${encodeURIComponent(since)}`), path)
  return (
    <LogView
      log={log}
      name={place.app}
      search={search}
      onSearch={(next) => set({ search: next })}
      level={logLevels.includes(level as LogLevel) ? (level as LogLevel) : undefined}
      onLevel={(next) => set({ level: next })}
      origins={instance === undefined}
      originPrefix={`${place.app}-`}
      empty={<EmptyState title="No line yet." text="What the app writes to its standard output and error appears here. The same in a terminal:" commands={[`pavior logs -f --app ${place.app} --team ${place.team}`]} />}
    >
      <Filter label="Process" value={process} data={choices.processes} choose={(next) => set({ process: next, instance: undefined })} />
      <Filter label="Instance" value={instance} data={choices.instances} choose={(next) => set({ instance: next })} width={220} />
      <Filter label="Release" value={release} data={choices.releases} choose={(next) => set({ release: next })} />
    </LogView>
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

function useChoices(): { processes: string[]; instances: string[]; releases: string[] } {
  const place = useAppPlace()
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
