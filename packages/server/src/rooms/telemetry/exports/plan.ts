/** What becomes of an attempt to send, how much is sent at once, and what an export says of itself. Pure. */
import type { ExportSignal, TelemetryExportSpec, TelemetryExportStatus } from '@pavior/contract'
import { pauseAfter } from '../../../kernel/backoff.ts'
import type { SentSeries, UnsentFacts } from './ports.ts'

/** Points, lines or spans of one request. */
export const mostItems: Record<ExportSignal, number> = { metrics: 5000, logs: 2000, traces: 1000 }
/** What was refused is sent in ever smaller parts, so that what is wrong with one does not take the others along; smaller ones are given up whole. */
export const fewestItems = 50
const pauses = { firstMs: 1000, longestMs: 60_000 }

export function wants({ apps, environments }: Pick<TelemetryExportSpec, 'apps' | 'environments'>, { app, environment }: { app: string; environment: string }): boolean {
  return (apps === undefined || apps.includes(app)) && (environments === undefined || environments.includes(environment))
}

export type Afterwards = { do: 'drop' } | { do: 'split'; atMost: number } | { do: 'wait'; ms: number }

/** After an attempt that failed, with so many items and so many failures before it; `lot` is from 0 to 1. */
export function afterFailure({ refused, large, retryAfterMs }: UnsentFacts, items: number, failures: number, lot: number): Afterwards {
  if (!refused && !large) return { do: 'wait', ms: pauseAfter(failures + 1, pauses, retryAfterMs, lot) }
  // One that is too large by itself is not made smaller.
  return items <= (large ? 1 : fewestItems) ? { do: 'drop' } : { do: 'split', atMost: Math.ceil(items / 2) }
}

/** What may be sent at once after a request that was taken. */
export function larger(atMost: number, signal: ExportSignal): number {
  return Math.min(mostItems[signal], atMost * 2)
}

/** Receivers take the points of a series in the order of time, and one of each time: of several the one that was written last. */
export function inOrder({ times, values, ...series }: SentSeries): SentSeries {
  if (times.every((time, index) => index === 0 || time > times[index - 1]!)) return { ...series, times, values }
  const places = [...times.keys()].sort((one, other) => times[one]! - times[other]! || one - other).filter((place, index, all) => times[place] !== times[all[index + 1]!])
  const [sortedTimes, sortedBits, bits] = [new Float64Array(places.length), new BigUint64Array(places.length), new BigUint64Array(values.buffer, values.byteOffset, values.length)]
  for (const [index, place] of places.entries()) {
    sortedTimes[index] = times[place]!
    sortedBits[index] = bits[place]!
  }
  return { ...series, times: sortedTimes, values: new Float64Array(sortedBits.buffer) }
}

/** How an export came along with one signal. */
export interface Progress {
  signal: ExportSignal
  beganAt: Date
  behindSince: Date | undefined
  sent: number
  refused: number
  tooOld: number
  gone: number
  lastSuccessAt: Date | undefined
  failingSince: Date | undefined
  message: string | undefined
}

type SignalStatus = NonNullable<TelemetryExportStatus['signals']>[number]

function signalStatus({ signal, beganAt, behindSince, sent, refused, tooOld, gone, lastSuccessAt, failingSince, message }: Progress, now: Date): SignalStatus {
  const dropped = Object.fromEntries(Object.entries({ refused, too_old: tooOld, gone }).filter(([, count]) => count > 0))
  const state = failingSince ? 'Failing' : lastSuccessAt ? 'Exporting' : 'Waiting'
  return {
    signal, state, since: (failingSince ?? beganAt).toISOString(), ...(failingSince && message !== undefined ? { message } : {}),
    lagSeconds: behindSince ? Math.max(0, Math.round((now.getTime() - behindSince.getTime()) / 1000)) : 0,
    sent, dropped, ...(lastSuccessAt ? { lastSuccess: lastSuccessAt.toISOString() } : {}),
  }
}

const order: Record<ExportSignal, number> = { metrics: 0, logs: 1, traces: 2 }

/** The worst of its signals is how an export does. */
export function statusOf(all: readonly Progress[], now: Date): TelemetryExportStatus {
  const signals = all.map((one) => signalStatus(one, now)).sort((one, other) => order[one.signal] - order[other.signal])
  const failing = signals.find(({ state }) => state === 'Failing')
  const shown = failing ?? signals.find(({ state }) => state === 'Exporting') ?? signals[0]
  const successes = signals.flatMap(({ lastSuccess }) => lastSuccess ?? []).sort()
  return {
    state: shown?.state ?? 'Waiting',
    ...(shown?.since === undefined ? {} : { since: shown.since }),
    ...(failing?.message === undefined ? {} : { message: failing.message }),
    lagSeconds: Math.max(0, ...signals.map(({ lagSeconds }) => lagSeconds)),
    sent: signals.reduce((sum, { sent }) => sum + sent, 0),
    dropped: signals.reduce((sum, { dropped }) => sum + Object.values(dropped).reduce((all_, count) => all_ + count, 0), 0),
    ...(successes.length > 0 ? { lastSuccess: successes.at(-1)! } : {}),
    signals,
  }
}
