/** An app's log: as it is written, or what was written in some time, with how many lines of each level there were. */
import { Group, SegmentedControl } from '@mantine/core'
import type { AppPlace } from '../../../frame/apps.ts'
import { useSearchParams, useSetSearchParams } from '../../../frame/search-params.ts'
import { TimeRangePicker, useTimeRange } from '../../../pieces/time-range.tsx'
import { useFilters } from './filters.tsx'
import { Histogram } from './histogram.tsx'
import { History } from './history.tsx'
import { LiveLog } from './live.tsx'
import { questionOf } from './reads.ts'

export function LogExplorer({ place }: { place: AppPlace }) {
  const { view, grep, request, trace, level, from } = useSearchParams()
  const set = useSetSearchParams()
  const { lengthMs, fixed } = useTimeRange()
  const past = view === 'history' || from !== undefined || grep !== undefined || request !== undefined || trace !== undefined
  const question = questionOf({ ...useFilters(place), grep, level, requestId: request, traceId: trace })
  return (
    <>
      <Group justify="space-between" mb="xs">
        <SegmentedControl size="xs" aria-label="What to show" data={[{ value: 'live', label: 'Live' }, { value: 'history', label: 'History' }]} value={past ? 'history' : 'live'} onChange={(next) => set(next === 'history' ? { view: next } : { view: undefined, grep: undefined, request: undefined, trace: undefined, from: undefined, until: undefined }, { push: true })} />
        <TimeRangePicker />
      </Group>
      <Histogram place={place} question={question} lengthMs={lengthMs} fixed={fixed} zoom={(begin, end) => set({ view: 'history', from: new Date(begin).toISOString(), until: new Date(end).toISOString() }, { push: true })} />
      {past ? <History place={place} question={question} lengthMs={lengthMs} fixed={fixed} /> : <LiveLog place={place} />}
    </>
  )
}
