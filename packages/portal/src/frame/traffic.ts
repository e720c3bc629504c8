/** Requests, errors and durations of an app, as they grow. */
import type { Traffic } from '@pavior/contract'
import { useQuery } from '@tanstack/react-query'
import { get } from './api.ts'
import { useLatest } from './latest.ts'
import type { TimeRange } from '../pieces/time-range.tsx'
import { appApi, type AppPlace } from './apps.ts'

const points = 180

/** Undefined while it loads. A range that ends now goes on by itself. */
export function useTraffic(place: AppPlace, environment: string, { lengthMs, fixed }: TimeRange): Traffic | undefined {
  const base = appApi(place, `traffic?environment=${encodeURIComponent(environment)}&points=${points}`)
  // The server keeps the length of a range without an end, so that only the length is of interest here.
  const moving = fixed ? undefined : `${base}&follow=1&minutes=${lengthMs / 60_000}`
  const { value } = useLatest<Traffic>(moving)
  const past = useQuery({
    queryKey: ['traffic', base, fixed],
    queryFn: ({ signal }) => get<Traffic>(`${base}&from=${fixed!.from}&until=${fixed!.until}`, signal),
    enabled: fixed !== undefined,
  })
  return fixed ? past.data : value
}
