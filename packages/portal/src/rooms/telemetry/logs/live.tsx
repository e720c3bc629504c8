/** The log of an app as it is written, from all instances or some. */
import { logLevels, type LogLevel } from '@pavior/contract'
import { appApi, type AppPlace } from '../../../frame/apps.ts'
import { useSearchParams, useSetSearchParams } from '../../../frame/search-params.ts'
import { EmptyState } from '../../../pieces/empty-state.tsx'
import { useLogLines } from '../../../pieces/log-lines.ts'
import { LogView } from '../../../pieces/log-view.tsx'
import { FilterFields, useFilters } from './filters.tsx'

const firstLines = 2000

export function LiveLog({ place }: { place: AppPlace }) {
  const filters = useFilters(place)
  const { search = '', level } = useSearchParams()
  const set = useSetSearchParams()
  const path = appApi(place, `logs?follow=1&${new URLSearchParams({ ...filters })}`)
  const log = useLogLines((since) => (since === undefined ? `${path}&tail=${firstLines}` : `${path}&since=${encodeURIComponent(since)}`), path)
  return (
    <LogView
      log={log}
      name={place.app}
      search={search}
      onSearch={(next) => set({ search: next })}
      level={logLevels.includes(level as LogLevel) ? (level as LogLevel) : undefined}
      onLevel={(next) => set({ level: next })}
      origins={filters.instance === undefined}
      originPrefix={`${place.app}-`}
      empty={<EmptyState title="No line yet." text="What the app writes to its standard output and error appears here. The same in a terminal:" commands={[`pavior logs -f --app ${place.app} --team ${place.team}`]} />}
    >
      <FilterFields place={place} />
    </LogView>
  )
}
