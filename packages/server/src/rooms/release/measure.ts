/** Figures beyond the router's counts that a release on trial is judged by. */
import { PaviorError, type JudgeQuery, type ResolvedStrategy } from '@pavior/contract'
import type { Clock } from '../../kernel/clock.ts'
import type { MetricReadings } from './ports.ts'

/** One figure as it is now. */
export interface Measured {
  name: string
  /** Undefined: nothing was measured. */
  value?: number | undefined
  max?: number | undefined
  min?: number | undefined
  /** What counts when there is no value at the end. */
  unmeasured: 'pass' | 'fail'
  /** Why it could not be asked for. */
  problem?: string
}

/** What the names in a query stand for. */
export interface OnTrial {
  team: string
  app: string
  environment: string
  release: number
  /** Release that serves. */
  stable: number
  /** CPU limit of one of its instances, in cores. */
  cpu: number
}

/** The judge looks every second; figures change as often as they are scraped. */
const freshMs = 5000

/** The limits of a strategy, as queries. Pure. */
export function queriesOf({ cpu, queries = [] }: Pick<ResolvedStrategy['judge'], 'cpu' | 'queries'>, trial: Pick<OnTrial, 'cpu'>): JudgeQuery[] {
  const busiest = `max(rate(pavior_instance_cpu_seconds_total{team="$team",app="$app",environment="$environment",release="$release"}[1m])) / ${trial.cpu}`
  return [...(cpu === undefined ? [] : [{ name: 'CPU of the busiest instance, as a share of its limit,', query: busiest, max: cpu }]), ...queries]
}

/** Puts names and numbers into a query; both are of letters that need no quoting. Pure. */
export function filled(query: string, trial: Omit<OnTrial, 'cpu'>): string {
  return query.replace(/\$(team|app|environment|release|stable)\b/g, (_, name: keyof typeof trial) => String(trial[name]))
}

export type Measure = (judge: ResolvedStrategy['judge'], trial: OnTrial) => Promise<Measured[]>

/** Asks for the same figure once in a few seconds, however often the judge looks. */
export function createMeasure(metrics: MetricReadings, clock: Clock): Measure {
  const asked = new Map<string, { at: number; answer: Promise<Pick<Measured, 'value' | 'problem'>> }>()
  const ask = async (team: string, query: string, at: Date): Promise<Pick<Measured, 'value' | 'problem'>> => {
    try {
      return { value: await metrics.value(team, query, at) }
    } catch (error) {
      if (!(error instanceof PaviorError)) throw error
      return { problem: error.message }
    }
  }
  return (judge, trial) => {
    const now = clock.now()
    for (const [key, { at }] of asked) if (Math.abs(now.getTime() - at) >= freshMs) asked.delete(key)
    return Promise.all(
      queriesOf(judge, trial).map(async ({ name, query, max, min, unmeasured = 'pass' }) => {
        const text = filled(query, trial)
        const key = `${trial.team}\n${text}`
        const { answer } = asked.get(key) ?? { answer: ask(trial.team, text, now) }
        if (!asked.has(key)) asked.set(key, { at: now.getTime(), answer })
        return { name, max, min, unmeasured, ...(await answer) }
      }),
    )
  }
}
