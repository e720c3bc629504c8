/** Errors and latency of the release on trial beside the one that serves, with the marks of the rollout. */
import { useMemo } from 'react'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { TimeSeries, type Marker } from '../../pieces/time-series.tsx'
import type { TimeRange } from '../../pieces/time-range.tsx'
import type { AppPlace, Deployment } from '../../frame/apps.ts'
import { useTraffic } from '../../frame/traffic.ts'
import { errorPercent, seriesOf } from './trial-plan.ts'

const minuteMs = 60_000
/** Shown before and after it, so that one sees what was usual. */
const marginMs = 2 * minuteMs
/** The chart of one that goes on grows by these. */
const grainMs = 5 * minuteMs
const height = 140

const marks: Record<string, Marker['tone']> = { trial: 'good', complete: 'good', switch: 'good', watch: 'good', restore: 'bad' }
const markNames: Record<string, string> = { trial: 'trial', complete: 'more', switch: '100 %', watch: 'watch', restore: 'back' }

export default function TrialCharts({ place, deployment }: { place: AppPlace; deployment: Deployment }) {
  const { spec, status } = deployment
  const traffic = useTraffic(place, spec.environment, useRangeOf(deployment))
  const markers = useMemo(() => markersOf(deployment), [deployment])
  const lines = useMemo(() => {
    const both = traffic && seriesOf(traffic, [spec.release, status?.previousRelease])
    return (
      both && {
        errors: both.map(({ release, series }, index) => ({ label: `v${release}`, values: errorPercent(series), colour: index === 0 ? 1 : 0 })),
        latency: both.map(({ release, series }, index) => ({ label: `v${release}`, values: series.p95Ms, colour: index === 0 ? 1 : 0 })),
      }
    )
  }, [traffic, spec.release, status?.previousRelease])
  if (!traffic || !lines) return <RowsSkeleton />
  const shared = { times: traffic.times, markers, sync: 'trial', height }
  return (
    <>
      <TimeSeries {...shared} title="Requests that fail" lines={lines.errors} unit="%" />
      <TimeSeries {...shared} title="95 of 100 answers within" lines={lines.latency} unit="ms" />
    </>
  )
}

/** From a little before the trial to a little after it; to the present while it goes on. */
function useRangeOf({ metadata, status }: Deployment): TimeRange {
  const begin = Date.parse(status?.steps?.find(({ name }) => name === 'trial')?.startedAt ?? status?.startedAt ?? metadata.creationTimestamp) - marginMs
  const finished = status?.finishedAt
  return useMemo(() => {
    const end = finished === undefined ? Date.now() : Date.parse(finished) + marginMs
    const fixed = finished === undefined || end > Date.now() ? undefined : { from: new Date(begin).toISOString(), until: new Date(end).toISOString() }
    return { lengthMs: Math.ceil((end - begin) / grainMs) * grainMs, fixed }
  }, [begin, finished])
}

function markersOf({ status }: Deployment): Marker[] {
  const { steps = [], trial } = status ?? {}
  const of = steps.filter(({ name, startedAt }) => name in marks && startedAt).map(({ name, startedAt }) => ({ at: Date.parse(startedAt!) / 1000, label: markNames[name]!, tone: marks[name]! }))
  const present = trial?.since === undefined || trial.weight === 0 || trial.weight === 100 ? [] : [{ at: Date.parse(trial.since) / 1000, label: `${trial.weight} %`, tone: 'good' as const }]
  return [...of, ...present].toSorted((one, other) => one.at - other.at)
}
