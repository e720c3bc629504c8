/** The span of time that a page shows, kept in its address: `range=6h`, or `from` and `until` after a zoom. */
import { Button, SegmentedControl, Group } from '@mantine/core'
import { IconZoomReset } from '@tabler/icons-react'
import { useMemo } from 'react'
import { useSearchParams, useSetSearchParams } from '../frame/search-params.ts'

const minuteMs = 60_000
const ranges: Record<string, number> = { '15m': 15 * minuteMs, '1h': 60 * minuteMs, '6h': 360 * minuteMs, '24h': 1440 * minuteMs, '7d': 10_080 * minuteMs }
/** What a page shows that does not say. */
const usualRange = '1h'
const shortestZoomMs = minuteMs

export interface TimeRange {
  lengthMs: number
  /** ISO 8601; undefined: it ends now and goes on. */
  fixed: { from: string; until: string } | undefined
}

/** `usual`: of a page that begins with another time. */
export function useTimeRange(usual = usualRange): TimeRange & { name: string; choose: (name: string) => void; zoom: (fromSeconds: number, untilSeconds: number) => void; reset: () => void } {
  const { range, from, until } = useSearchParams()
  const set = useSetSearchParams()
  const name = range !== undefined && range in ranges ? range : usual
  const shown = useMemo((): TimeRange => {
    const length = Date.parse(until ?? '') - Date.parse(from ?? '')
    return length > 0 ? { lengthMs: length, fixed: { from: from!, until: until! } } : { lengthMs: ranges[name]!, fixed: undefined }
  }, [from, until, name])
  return {
    ...shown,
    name,
    choose: (next) => set({ range: next === usual ? undefined : next, from: undefined, until: undefined }),
    zoom: (fromSeconds, untilSeconds) => {
      const middle = ((fromSeconds + untilSeconds) / 2) * 1000
      const half = Math.max(shortestZoomMs, (untilSeconds - fromSeconds) * 1000) / 2
      set({ from: new Date(middle - half).toISOString(), until: new Date(middle + half).toISOString() }, { push: true })
    },
    reset: () => set({ from: undefined, until: undefined }, { push: true }),
  }
}

export function TimeRangePicker({ usual }: { usual?: string | undefined }) {
  const { fixed, name, choose, reset } = useTimeRange(usual)
  return (
    <Group gap="xs">
      {fixed && (
        <Button size="compact-sm" variant="light" leftSection={<IconZoomReset size={14} />} onClick={reset}>
          Back to live
        </Button>
      )}
      <SegmentedControl size="xs" aria-label="Time range" data={Object.keys(ranges)} value={fixed ? '' : name} onChange={choose} />
    </Group>
  )
}
