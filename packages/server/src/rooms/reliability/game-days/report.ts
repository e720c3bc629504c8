/** What each step did and what was seen of it, as it is known by now. Pure. */
import { trafficIntervalMs, type FaultReport, type GameDayFigures, type GameDaySpec, type GameDayStatus, type GameDayStep, type GameDayStepState } from '@pavior/contract'
import { faultId } from './plan.ts'

/** Before a step the app is looked at for so long. */
const beforeMs = 60_000

export interface Span {
  from: Date
  until: Date
}

/** The times of a step that figures are wanted of. */
export function spansOf(steps: readonly GameDayStepState[], index: number, now: Date): Partial<Record<'before' | 'during' | 'after', Span>> {
  const { from, until, settledAt, state } = steps[index]!
  if (from === undefined || until === undefined) return {}
  const earliest = steps.slice(0, index).findLast((one) => one.until !== undefined)?.until
  const [begin, end] = [Date.parse(from), Math.min(Date.parse(until), now.getTime())]
  const settled = Math.min(now.getTime(), settledAt === undefined ? end + beforeMs : Date.parse(settledAt))
  return {
    before: wholeIntervals(Math.max(begin - beforeMs, earliest === undefined ? 0 : Date.parse(earliest)), begin),
    // A short one has no interval of its own: then the one that begins in it tells.
    during: wholeIntervals(begin, Math.max(end, begin + 2 * trafficIntervalMs)),
    ...(state === 'Running' ? {} : { after: wholeIntervals(end, settled) }),
  }
}

/** The router's interval that reaches beyond the end belongs to what comes then. */
function wholeIntervals(from: number, until: number): Span {
  return { from: new Date(from), until: new Date(Math.max(from, until - trafficIntervalMs)) }
}

/** Steps whose figures may still move: counts come some seconds late. */
export function movingSteps({ steps = [], finishedAt }: GameDayStatus, now: Date, lateMs: number): number[] {
  const late = (at: string | undefined): boolean => at !== undefined && now.getTime() - Date.parse(at) < lateMs
  return steps.flatMap(({ state, until, settledAt }, index) => (state === 'Running' || state === 'Settling' || late(settledAt) || (state === 'Cut' && late(finishedAt ?? until)) ? [index] : []))
}

export function withFigures(status: GameDayStatus, index: number, figures: Partial<Record<'before' | 'during' | 'after', GameDayFigures>>): GameDayStatus {
  return { ...status, steps: status.steps!.with(index, { ...status.steps![index]!, ...figures }) }
}

/** Counts of an agent that began anew are those since then, so none falls. */
export function withReports(spec: GameDaySpec, status: GameDayStatus, uid: string, reports: readonly FaultReport[]): GameDayStatus {
  if (!status.steps) return status
  const steps = status.steps.map((state, index): GameDayStepState => {
    const report = reports.find(({ id }) => id === faultId(uid, index))
    const reached = report ? reachedBy(state.reached, report) : state.reached
    const known = { ...state, ...(reached ? { reached } : {}) }
    const problem = report?.problem
    return { ...known, ...(problem === undefined ? outcomeOf(spec.steps[index]!, known) : { outcome: problem }) }
  })
  return { ...status, steps }
}

function reachedBy(before: GameDayStepState['reached'], { seen, delayed, failed, instances }: FaultReport): NonNullable<GameDayStepState['reached']> {
  return {
    seen: Math.max(seen, before?.seen ?? 0),
    delayed: Math.max(delayed, before?.delayed ?? 0),
    failed: Math.max(failed, before?.failed ?? 0),
    instances: [...new Set([...(before?.instances ?? []), ...instances])],
  }
}

/** One sentence, once there is something to say. */
function outcomeOf(step: GameDayStep, { state, reached, before, during, after }: GameDayStepState): { outcome?: string } {
  if (state === 'Pending') return {}
  if (state === 'Skipped') return { outcome: 'It was left out.' }
  const told = [before, during, after].filter((figures) => figures !== undefined && figures.requests > 0) as GameDayFigures[]
  const figures = during && during.requests > 0 ? `Errors ${told.map(percent).join(' → ')}, p95 ${told.map(ms).join(' → ')}` : ''
  const said = [reachedText(step, reached), figures && `${figures}.`, state === 'Cut' ? 'It was cut short.' : ''].filter(Boolean).join(' ')
  return said === '' ? {} : { outcome: said }
}

function reachedText({ latency, errors, kill, server }: GameDayStep, reached: GameDayStepState['reached']): string {
  if (server) return 'The control plane was away.'
  if (!reached) return ''
  const { seen, delayed, failed, instances } = reached
  if (latency) return `${delayed} of ${seen} requests were held up.`
  if (errors) return `${failed} of ${seen} requests got an error.`
  if (instances.length === 0) return 'No instance was reached.'
  return `${instances.length} ${instances.length === 1 ? 'instance was' : 'instances were'} ${kill ? 'killed' : 'burdened'}.`
}

function percent({ errorPercent }: GameDayFigures): string {
  return `${Number(errorPercent.toFixed(1))} %`
}

function ms({ p95Ms }: GameDayFigures): string {
  return p95Ms === null ? '–' : `${p95Ms >= 10 ? Math.round(p95Ms) : Number(p95Ms.toFixed(1))} ms`
}
