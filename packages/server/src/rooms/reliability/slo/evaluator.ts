/** Evaluates every so often and writes what is new into the resources; tells of it once. */
import { fail, type SloStatus } from '@pavior/contract'
import { systemActor } from '../../../kernel/actor.ts'
import type { EventRecorder } from '../../../kernel/audit/events.ts'
import type { Clock } from '../../../kernel/clock.ts'
import type { Database } from '../../../kernel/db/index.ts'
import { ignore } from '../../../kernel/errors.ts'
import { inParallel } from '../../../kernel/in-parallel.ts'
import type { Part } from '../../../kernel/lifecycle/lifecycle.ts'
import { recurring } from '../../../kernel/lifecycle/recurring.ts'
import type { Logger } from '../../../kernel/log.ts'
import type { Mirror } from '../../../kernel/resources/mirror.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { evaluate, type Evaluated, type Slo } from './evaluate.ts'
import { explain, reasonsOf } from './explain.ts'
import { ruleOf } from './plan.ts'
import type { GoldenSignals, Query } from './ports.ts'
import { askMinutes, type Queried } from './queries.ts'
import { compositeFigures, figuresOf, isNews, newsOf, statusOf, type Figures } from './status.ts'
import { badMinutes, forget, pruneSlos, readSums } from './store.ts'

const shortestPauseMs = 10_000
const longestPauseMs = 60_000
/** The pause is so many times as long as the look before it: with many objectives they are rarer. */
const pausePerWork = 30
const pruneIntervalMs = 600_000
/** What burned nothing is needed for the longest window of burn, and a day more for what comes late. */
const keepQuietMinutes = 4 * 1440
/** Longer than any window. */
export const keepMinutes = 130 * 1440
const minuteMs = 60_000
/** Counts that nobody has taken for longer than this are worth a word. */
const staleMs = 120_000
/** Of the integers of the database. */
const latestMinute = 2 ** 31 - 1
const writesAtOnce = 64
const queriesAtOnce = 4
/** The worst of these are told of. */
const toldMinutes = 2000

export const actor = systemActor('reliability')

export interface EvaluatorDeps {
  database: Database
  resources: Resources
  slos: Mirror<Slo>
  signals: GoldenSignals
  /** Undefined: PromQL is not answered here. */
  query: Query | undefined
  events: EventRecorder
  clock: Clock
  log: Logger
}

/** Figures of every objective, with why there are none. */
export interface Measured {
  figures: Figures | undefined
  problem: string | undefined
}

export async function evaluateOnce(deps: EvaluatorDeps): Promise<void> {
  const slos = [...deps.slos.values()].filter(({ metadata }) => !metadata.deletionTimestamp)
  if (slos.length === 0) return
  const asked = await askAll(deps, slos)
  for (let more = true; more; ) {
    const evaluated = await evaluate(deps.database, deps.signals, slos, asked, deps.clock.now())
    if (!evaluated) return
    more = evaluated.more
    if (!more) await publish(deps, slos, evaluated, asked)
  }
}

/** Outside of the transaction: whoever answers queries may be slow. */
async function askAll({ database, query, clock }: EvaluatorDeps, slos: readonly Slo[]): Promise<Map<string, Queried>> {
  const asking = slos.filter(({ spec }) => spec.indicator && !spec.indicator.golden)
  if (asking.length === 0) return new Map()
  const known = await readSums(database)
  const now = clock.now()
  const answers = await inParallel(asking, queriesAtOnce, async ({ metadata, spec }): Promise<[string, Queried]> => {
    // A new one is watched from its next minute on.
    const after = known.get(metadata.uid)?.queried ?? Math.floor(now.getTime() / minuteMs) - 1
    return [metadata.uid, await askMinutes(query, metadata.namespace!, spec.indicator!, after, now)]
  })
  return new Map(answers)
}

async function publish(deps: EvaluatorDeps, slos: readonly Slo[], evaluated: Evaluated, asked: ReadonlyMap<string, Queried>): Promise<void> {
  const measured = measure(slos, evaluated, asked)
  const now = deps.clock.now()
  await inParallel(slos, writesAtOnce, (slo) => publishOne(deps, slo, measured.get(slo.metadata.uid)!, observedThrough(deps.signals.takenAt(), now), now))
}

export function measure(slos: readonly Slo[], { head, sums }: Pick<Evaluated, 'head' | 'sums'>, asked: ReadonlyMap<string, Queried>): Map<string, Measured> {
  const found = new Map<string, Measured>()
  for (const { metadata, spec } of slos) {
    const kept = sums.get(metadata.uid)
    found.set(metadata.uid, { figures: spec.indicator && kept && figuresOf(spec, kept, head), problem: asked.get(metadata.uid)?.problem })
  }
  const byName = new Map(slos.map((slo) => [`${slo.metadata.namespace}/${slo.metadata.name}`, slo]))
  for (const { metadata, spec } of slos) {
    if (!spec.composite) continue
    const members = spec.composite.map(({ slo: name, weight = 1 }) => ({ name, weight, slo: byName.get(`${metadata.namespace}/${name}`) }))
    const wrong = members.find(({ slo }) => !slo?.spec.indicator)
    const known = members.flatMap(({ slo, weight }) => { const figures = slo && found.get(slo.metadata.uid)?.figures; return figures ? [{ weight, figures }] : [] })
    const problem = wrong && (wrong.slo ? `${wrong.name} is made of others itself, so it cannot be a part of this one.` : `There is no objective ${wrong.name} in this team.`)
    found.set(metadata.uid, { figures: wrong ? undefined : compositeFigures(known, head * minuteMs), problem })
  }
  return found
}

/** Counts that were not taken yet are not in the sums. */
function observedThrough(takenAt: Date, now: Date): number {
  return takenAt.getTime() === 0 ? now.getTime() : Math.min(now.getTime(), takenAt.getTime())
}

async function publishOne(deps: EvaluatorDeps, { metadata, spec, status }: Slo, { figures, problem }: Measured, through: number, now: Date): Promise<void> {
  const stale = spec.indicator?.golden && now.getTime() - through > staleMs ? `The router's counts were last taken at ${new Date(through).toISOString().slice(0, 19)}Z.` : undefined
  const next = (slo: Slo, previous: SloStatus | undefined): SloStatus => statusOf({ spec: slo.spec, generation: slo.metadata.generation ?? 0, previous, figures, problem: problem ?? stale, observedThrough: through, now })
  const proposed = next({ metadata, spec, status } as Slo, status)
  if (!isNews(status, proposed)) return
  const reasons = proposed.state === 'Burning' || proposed.state === 'Exhausted' ? await reasonsFor(deps.database, { metadata, spec } as Slo, proposed) : []
  const write = (slo: Slo): Slo => {
    if (slo.metadata.uid !== metadata.uid) throw fail('NOT_FOUND', { message: `The objective ${metadata.name} is another one now.` })
    const { conditions } = slo.status ?? {}
    const standing = next(slo, slo.status)
    return { ...slo, status: { ...standing, ...(reasons.length > 0 ? { reasons } : {}), ...(conditions ? { conditions } : {}) } }
  }
  const key = { kind: 'Slo', namespace: metadata.namespace!, name: metadata.name }
  const quiet = newsOf(spec, status, proposed).length === 0
  // Somebody else wrote meanwhile, and now there is something to tell: the next look does.
  const unlessNews = (slo: Slo): Slo => {
    const written = write(slo)
    return newsOf(slo.spec, slo.status, written.status!).length === 0 ? written : slo
  }
  if (quiet) await deps.resources.mutate<Slo>(actor, key, (current) => unlessNews(current as Slo), { subresource: 'status' }).catch(ignore('NOT_FOUND'))
  else await tell(deps, key, write).catch(ignore('NOT_FOUND'))
}

/** What is told commits with the status that says so: each once, whatever dies in between. */
function tell({ database, resources, events }: EvaluatorDeps, key: { kind: string; namespace: string; name: string }, write: (slo: Slo) => Slo): Promise<void> {
  return database.transaction(async (tx) => {
    let before: SloStatus | undefined
    const written = await resources.mutate<Slo>(actor, key, (current) => {
      before = (current as Slo).status
      return write(current as Slo)
    }, { subresource: 'status', tx })
    for (const { type, reason, message } of newsOf(written.spec, before, written.status!)) await events.record(written as never, type, reason, message, 'reliability', tx)
  })
}

async function reasonsFor(database: Database, { metadata, spec }: Slo, { budget, from }: SloStatus): Promise<string[]> {
  if (!budget || !from || spec.composite) return []
  const { method, sliceMinutes } = ruleOf(spec)
  const minutes = await badMinutes(database, metadata.uid, Math.floor(Date.parse(from) / minuteMs), latestMinute, toldMinutes)
  return reasonsOf(explain(minutes, budget.total, { byEvents: method === 'Occurrences', sliceMinutes }))
}

/** Forgets what was counted for objectives that are gone: looked up by name, because a mirror may be behind. */
async function forgetGone({ database, resources, slos }: EvaluatorDeps): Promise<void> {
  const live = new Set([...slos.values()].map(({ metadata }) => metadata.uid))
  for (const [uid, { key }] of await readSums(database)) {
    if (live.has(uid)) continue
    const [namespace = '', name = ''] = key.split('/')
    const there = await resources.get<Slo>(actor, { kind: 'Slo', namespace, name })
    if (there?.metadata.uid !== uid) await database.transaction((tx) => forget(tx, [uid]))
  }
}

/** Until the next look, after one that took so long. */
export function pauseAfter(tookMs: number): number {
  return Math.min(longestPauseMs, Math.max(shortestPauseMs, tookMs * pausePerWork))
}

/** `drafts` propose objectives, before each look. */
export function createEvaluator(deps: EvaluatorDeps, drafts: (() => Promise<void>)[]): Part {
  let prunedAt = 0
  const once = async (): Promise<void> => {
    for (const draft of drafts) await draft()
    await evaluateOnce(deps)
    if (Date.now() - prunedAt < pruneIntervalMs) return
    prunedAt = Date.now()
    await forgetGone(deps)
    await pruneSlos(deps.database, keepQuietMinutes, keepMinutes)
  }
  const failed = ({ message }: Error): void => deps.log.warn({ err: message }, 'objectives could not be evaluated; what was counted waits')
  return recurring({ name: 'objectives', pauseMs: pauseAfter, once, failed })
}
