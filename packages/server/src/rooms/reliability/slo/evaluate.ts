/** One look at all objectives: takes the minutes that changed into their sums. All of it commits together, by one replica at a time. */
import { burnWindows, type BurnWindow, type Resource, type SloSpec, type SloStatus } from '@pavior/contract'
import type { Database, Tx } from '../../../kernel/db/index.ts'
import { add, advance, byHour, countGolden, emptySums, grouped, leavingRange, nothing, recount, ruleOf, sliceOf, windowNames, type Change, type Counted, type MinuteRow, type Rule, type Units } from './plan.ts'
import type { GoldenSignals, MinuteCounts } from './ports.ts'
import type { Queried } from './queries.ts'
import { addHours, forget, lockEvaluation, noteEvaluation, readMinutes, readSums, sumBurn, sumHours, sumRanges, writeMinutes, writeSums, type Kept } from './store.ts'
import { defaultWindow, windowStart } from './window.ts'

export type Slo = Resource<SloSpec, SloStatus>

const minuteMs = 60_000
/** Minutes that are counted again in one go, when the server was away. */
const mostMinutes = 120
/** Objectives that are counted from the beginning in one go. */
const mostBuilt = 20
/** What the router counted is kept that long. */
const trafficMinutes = 14 * 1440
/** A clock that went back further than this was set. */
const toleratedMinutes = 5
export const defaultEnvironment = 'production'

export interface Evaluated {
  head: number
  sums: Map<string, Kept>
  /** There is more to take in at once. */
  more: boolean
}

interface Running {
  slo: Slo
  rule: Rule
  kept: Kept
}

/** Undefined while another replica evaluates. `asked`: what queries gave, by uid. */
export function evaluate(database: Database, signals: Pick<GoldenSignals, 'minutes'>, slos: readonly Slo[], asked: ReadonlyMap<string, Queried>, now: Date): Promise<Evaluated | undefined> {
  return database.transaction(async (tx) => {
    const present = Math.floor(now.getTime() / minuteMs)
    const before = await lockEvaluation(tx, { head: present, batch: await signals.minutes.newestBatch(tx) })
    if (!before) return undefined
    const known = await readSums(tx)
    const changed = await signals.minutes.changed(tx, before.batch, mostMinutes)
    const setBack = present < before.head - toleratedMinutes
    const head = setBack ? present : Math.max(present, before.head)
    const measured = slos.filter(({ spec }) => spec.indicator)
    const running = new Map<string, Running>()
    for (const slo of measured) {
      const kept = known.get(slo.metadata.uid)
      if (kept && kept.basis === basisOf(slo)) running.set(slo.metadata.uid, { slo, rule: ruleOf(slo.spec), kept })
    }
    const written = new Set<string>()
    if (head !== before.head) await move(tx, running, before.head, head, setBack, written)
    await resumChanged(tx, running, head, written)
    await takeIn(tx, running, head, await countedBy(tx, signals, running, changed.minutes.filter((minute) => minute <= head && minute >= before.pruned), asked), asked, written)
    const fresh = measured.filter(({ metadata }) => !running.has(metadata.uid)).slice(0, mostBuilt)
    for (const slo of fresh) {
      running.set(slo.metadata.uid, await build(tx, signals, slo, head))
      written.add(slo.metadata.uid)
    }
    const sums = new Map([...running].map(([uid, { kept }]) => [uid, kept]))
    await writeSums(tx, new Map([...sums].filter(([uid]) => written.has(uid))))
    if (head !== before.head || changed.batch !== before.batch) await noteEvaluation(tx, { head, batch: changed.batch })
    return { head, sums, more: changed.minutes.length >= mostMinutes || fresh.length === mostBuilt }
  })
}

const windowOf = ({ spec }: Slo): NonNullable<SloSpec['window']> => spec.window ?? defaultWindow

/** What is counted, and how. Another objective alone counts nothing anew. */
export function basisOf({ spec }: Slo): string {
  const { method, sliceMinutes, sliceTarget } = ruleOf(spec)
  return JSON.stringify([spec.app, spec.environment, spec.indicator, method, sliceMinutes, method === 'Timeslices' ? sliceTarget : 0])
}

/** Windows go on: what they lose is taken off. After a clock was set back they are added up anew. */
async function move(tx: Tx, running: Map<string, Running>, from: number, head: number, setBack: boolean, written: Set<string>): Promise<void> {
  if (setBack) return resum(tx, [...running.values()], head, written)
  const ranges = windowNames.flatMap((name) => {
    const range = leavingRange(burnWindows[name], from, head)
    return range ? [{ name, ...range }] : []
  })
  const leaving = await sumRanges(tx, ranges)
  const begins = new Map([...running.values()].map(({ slo }) => [slo.metadata.uid, startOf(slo, head)]))
  const later = [...running].filter(([uid, { kept }]) => begins.get(uid)! > kept.start)
  const hours = await sumHours(tx, later.map(([slo, { kept }]) => ({ slo, from: kept.start, until: begins.get(slo)! })))
  for (const [uid, one] of running) {
    const start = Math.max(one.kept.start, begins.get(uid)!)
    if (start === one.kept.start && !leaving.has(uid)) continue
    one.kept = advance(one.kept, start, { budget: hours.get(uid) ?? nothing, burn: leaving.get(uid) ?? {} })
    written.add(uid)
  }
}

const starts = { head: 0, byWindow: new Map<string, number>() }

/** Many share a window, and the calendar is slow to ask. */
export function startOf(slo: Slo, head: number): number {
  if (starts.head !== head) Object.assign(starts, { head, byWindow: new Map<string, number>() })
  const key = JSON.stringify(windowOf(slo))
  const start = starts.byWindow.get(key) ?? windowStart(windowOf(slo), head)
  starts.byWindow.set(key, start)
  return start
}

async function resumChanged(tx: Tx, running: Map<string, Running>, head: number, written: Set<string>): Promise<void> {
  await resum(tx, [...running.values()].filter(({ slo, kept }) => kept.window !== JSON.stringify(windowOf(slo))), head, written)
}

/** Sums as they stand in minutes and hours. */
async function resum(tx: Tx, all: Running[], head: number, written: Set<string>): Promise<void> {
  if (all.length === 0) return
  const burn = await sumBurn(tx, all.map(({ slo }) => slo.metadata.uid), head)
  const budget = await sumHours(tx, all.map(({ slo }) => ({ slo: slo.metadata.uid, from: startOf(slo, head), until: head + 1 })))
  for (const one of all) {
    const { uid } = one.slo.metadata
    const none = emptySums(one.kept.begin, startOf(one.slo, head))
    one.kept = { ...one.kept, ...none, burn: { ...none.burn, ...(burn.get(uid) as Record<BurnWindow, Units> | undefined) }, budget: budget.get(uid) ?? nothing, window: JSON.stringify(windowOf(one.slo)) }
    written.add(uid)
  }
}

type CountedBy = Map<string, Map<number, Counted>>

/** What these minutes gave each objective: the router's counts by one query for all, and what queries said. */
async function countedBy(tx: Tx, signals: Pick<GoldenSignals, 'minutes'>, running: Map<string, Running>, minutes: number[], asked: ReadonlyMap<string, Queried>): Promise<CountedBy> {
  const golden = [...running.values()].filter(({ slo }) => slo.spec.indicator?.golden)
  const counts = golden.length === 0 ? [] : await signals.minutes.counts(tx, minutes)
  const byPlace = grouped(counts, ({ team, app, environment, minute }) => placeKey(team, app, environment, minute))
  const places = new Set(counts.map(({ team, app, environment }) => placeKey(team, app, environment)))
  const found: CountedBy = new Map()
  for (const { slo } of golden) {
    const place = placeOf(slo)
    if (!places.has(place)) continue
    const own = minutes.flatMap((minute): [number, Counted][] => {
      const there = byPlace.get(`${place}\n${minute}`)
      return there ? [[minute, countGolden(slo.spec.indicator!, there)]] : []
    })
    found.set(slo.metadata.uid, new Map(own))
  }
  for (const [uid, { counted }] of asked) {
    const { kept } = running.get(uid) ?? {}
    if (kept) found.set(uid, new Map([...counted].filter(([minute]) => minute > (kept.queried ?? kept.begin))))
  }
  return found
}

function placeKey(team: string, app: string, environment: string, minute?: number): string {
  return [team, app, environment, ...(minute === undefined ? [] : [minute])].join('\n')
}

function placeOf({ metadata, spec }: Slo): string {
  return placeKey(metadata.namespace!, spec.app ?? '', spec.environment ?? defaultEnvironment)
}

/** Every minute is set, not added to, so that one that is counted again is right again. */
async function takeIn(tx: Tx, running: Map<string, Running>, head: number, counted: CountedBy, asked: ReadonlyMap<string, Queried>, written: Set<string>): Promise<void> {
  const wanted = new Set([...counted].flatMap(([uid, minutes]) => [...minutes.keys()].flatMap((minute) => sliceMates(running.get(uid)!.rule, minute))))
  const stored = await readMinutes(tx, [...counted.keys()], [...wanted])
  const rows: (Change & { slo: string })[] = []
  const hours: (Change['delta'] & { slo: string; hour: number })[] = []
  for (const [slo, minutes] of counted) {
    const one = running.get(slo)!
    const changes = recount(one.rule, stored.get(slo) ?? new Map<number, MinuteRow>(), minutes)
    const queried = asked.get(slo)?.through
    if (changes.length === 0 && (queried === undefined || queried === one.kept.queried)) continue
    for (const change of changes) one.kept = add(one.kept, head, change)
    if (queried !== undefined) one.kept = { ...one.kept, queried: Math.max(queried, one.kept.queried ?? 0) }
    written.add(slo)
    for (const change of changes) rows.push({ slo, ...change })
    for (const [hour, delta] of byHour(changes)) hours.push({ slo, hour, ...delta })
  }
  await writeMinutes(tx, rows)
  await addHours(tx, hours)
}

function sliceMates(rule: Rule, minute: number): number[] {
  const first = sliceOf(rule, minute)
  return Array.from({ length: rule.sliceMinutes }, (_, index) => first + index)
}

/** From the beginning: a new objective, or one that counts something else now. Of queries only what comes from now on. */
async function build(tx: Tx, signals: Pick<GoldenSignals, 'minutes'>, slo: Slo, head: number): Promise<Running> {
  const { uid, namespace, name } = slo.metadata
  const rule = ruleOf(slo.spec)
  const start = startOf(slo, head)
  await forget(tx, [uid])
  let kept: Kept = { ...emptySums(head, start), key: `${namespace}/${name}`, basis: basisOf(slo), window: JSON.stringify(windowOf(slo)), ...(slo.spec.indicator!.golden ? {} : { queried: head - 1 }) }
  if (!slo.spec.indicator!.golden) return { slo, rule, kept }
  const first = Math.max(head - trafficMinutes, Math.min(start, head - burnWindows['3d'] + 1))
  const counts = await signals.minutes.ofApp(tx, { team: namespace!, app: slo.spec.app ?? '', environment: slo.spec.environment ?? defaultEnvironment, from: new Date(first * minuteMs), until: new Date((head + 1) * minuteMs) })
  const counted = new Map([...grouped(counts, ({ minute }: MinuteCounts) => minute)].map(([minute, releases]) => [minute, countGolden(slo.spec.indicator!, releases)]))
  const changes = recount(rule, new Map(), counted)
  for (const change of changes) kept = add(kept, head, change)
  await writeMinutes(tx, changes.map((change) => ({ slo: uid, ...change })))
  await addHours(tx, [...byHour(changes)].map(([hour, delta]) => ({ slo: uid, hour, ...delta })))
  return { slo, rule, kept }
}
