/** What the log explorer asks the server. */
import type { LogHistogram, LogPage } from '@pavior/contract'
import { get } from '../../../frame/api.ts'
import { appApi, type AppPlace } from '../../../frame/apps.ts'

const pageLines = 200

/** What is wanted of an app's log, as a search of the API; the time is apart. */
export function questionOf(given: Record<string, string | undefined>): string {
  return new URLSearchParams(Object.entries(given).filter((entry): entry is [string, string] => Boolean(entry[1]))).toString()
}

export interface Times {
  fromMs: number
  untilMs: number
}

export function timesOf(lengthMs: number, fixed: { from: string; until: string } | undefined): Times {
  const untilMs = fixed ? Date.parse(fixed.until) : Date.now()
  return { fromMs: untilMs - lengthMs, untilMs }
}

function timeSearch({ fromMs, untilMs }: Times): string {
  return `since=${new Date(fromMs).toISOString()}&until=${new Date(untilMs).toISOString()}`
}

/** Newest first. */
export function pageOf(place: AppPlace, question: string, times: Times, before: string, signal: AbortSignal): Promise<LogPage> {
  return get(appApi(place, `logs/page?limit=${pageLines}&${question}&${timeSearch(times)}${before ? `&before=${before}` : ''}`), signal)
}

export function histogramOf(place: AppPlace, question: string, times: Times, signal: AbortSignal): Promise<LogHistogram> {
  return get(appApi(place, `logs/histogram?${question}&${timeSearch(times)}`), signal)
}
