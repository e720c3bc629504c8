/** Who burned the budget: minutes that belong together, releases, kinds of answer. Pure. */
import { percent } from './status.ts'
import { grouped, type BurnedBy } from './plan.ts'
import type { SloBurnShare, SloBurns } from '@pavior/contract'

export interface BadMinute {
  minute: number
  bad: number
  total: number
  detail: BurnedBy[]
}

const minuteMs = 60_000
/** Bad minutes with less than this between them are one run. */
const pauseMinutes = 5
const shownRuns = 10
const toldRuns = 2
/** Of requests that went to no release: probes of the platform's own parts, and apps without an instance. */
const noRelease = 0

/** `allowed`: what the objective allows in the window. Where slices count, each is one entry at its first minute. */
export function explain(rows: readonly BadMinute[], allowed: number, { byEvents, sliceMinutes }: { byEvents: boolean; sliceMinutes: number }): SloBurns {
  const minutes = sliceMinutes === 1 ? rows : slicesOf(rows, sliceMinutes)
  const used = minutes.reduce((sum, { bad }) => sum + bad, 0)
  const share = (bad: number): number => (allowed > 0 ? Number((bad / allowed).toFixed(4)) : 0)
  const weighed = minutes.map((one) => ({ ...one, weight: weightOf(one, byEvents) }))
  const groups = (key: (part: BurnedBy) => [string, number][]): SloBurnShare[] => {
    const sums = new Map<string, number>()
    for (const { detail, weight } of weighed) for (const part of detail) for (const [name, count] of key(part)) sums.set(name, (sums.get(name) ?? 0) + count * weight)
    return [...sums].filter(([, bad]) => bad > 0).toSorted(([, one], [, other]) => other - one).map(([name, bad]) => ({ name, bad: Number(bad.toFixed(4)), ofBudget: share(bad) }))
  }
  return {
    used: Number(used.toFixed(4)),
    allowed: Number(allowed.toFixed(4)),
    releases: groups(({ release, bad }) => (release === noRelease ? [] : [[`v${release}`, bad]])),
    causes: groups(({ bad, app, router }) => (app === undefined ? [['slow answers', bad]] : [['5xx by the app', app], ['5xx by the router, which got no answer', router ?? 0]])),
    runs: runsOf(minutes, sliceMinutes)
      .map((run) => ({ from: iso(run.from), until: iso(run.until + sliceMinutes), minutes: run.minutes, bad: Number(run.bad.toFixed(4)), ofBudget: share(run.bad), ...(run.release === undefined ? {} : { release: run.release }) }))
      .toSorted((one, other) => other.bad - one.bad)
      .slice(0, shownRuns),
  }
}

function slicesOf(rows: readonly BadMinute[], sliceMinutes: number): BadMinute[] {
  const slices = grouped(rows, ({ minute }) => Math.floor(minute / sliceMinutes) * sliceMinutes)
  return [...slices].map(([minute, own]) => ({
    minute,
    bad: own.reduce((sum, { bad }) => sum + bad, 0),
    total: own.reduce((sum, { total }) => sum + total, 0),
    detail: own.flatMap(({ detail }) => detail),
  })).filter(({ bad }) => bad > 0)
}

/** What one bad event of a minute used of the budget: itself where events count, its part of the slice otherwise. */
function weightOf({ bad, detail }: BadMinute, byEvents: boolean): number {
  const events = detail.reduce((sum, part) => sum + part.bad, 0)
  return byEvents || events === 0 ? 1 : bad / events
}

interface Run {
  from: number
  until: number
  minutes: number
  bad: number
  release: number | undefined
}

function runsOf(minutes: readonly BadMinute[], sliceMinutes: number): Run[] {
  const runs: (Run & { by: Map<number, number> })[] = []
  for (const { minute, bad, detail } of minutes.toSorted((one, other) => one.minute - other.minute)) {
    let run = runs.at(-1)
    if (!run || minute - run.until > Math.max(pauseMinutes, sliceMinutes)) runs.push((run = { from: minute, until: minute, minutes: 0, bad: 0, release: undefined, by: new Map() }))
    run.until = minute
    run.minutes += sliceMinutes
    run.bad += bad
    for (const part of detail) run.by.set(part.release, (run.by.get(part.release) ?? 0) + part.bad)
  }
  return runs.map(({ by, ...run }) => ({ ...run, release: [...by].toSorted(([, one], [, other]) => other - one)[0]?.[0] || undefined }))
}

function iso(minute: number): string {
  return new Date(minute * minuteMs).toISOString()
}

/** The worst runs in sentences; what is less than a hundredth of the budget is left out. */
export function reasonsOf({ runs }: SloBurns): string[] {
  return runs.filter(({ ofBudget }) => ofBudget >= 0.01).slice(0, toldRuns).map(({ from, minutes, ofBudget, release }) => {
    const when = `${from.slice(0, 16).replace('T', ' ')} UTC`
    return `${percent(ofBudget)} of the budget went in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'} from ${when}${release === undefined ? '' : `, most of it by release v${release}`}.`
  })
}
