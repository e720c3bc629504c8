/** A budget over time, hour by hour. Pure. */
import type { SloHistory, SloSpec } from '@pavior/contract'
import { budgetShare, nothing, plus, ruleOf, type Units } from './plan.ts'
import type { HourRow } from './store.ts'
import { allowance } from './status.ts'
import { defaultWindow, hourMinutes, windowStart } from './window.ts'

/** `from`, `until` and `begin` (of the counting) are minutes since the epoch; `hours` reach back a window before `from`. */
export function historyOf(spec: SloSpec, hours: readonly HourRow[], { from, until, begin }: { from: number; until: number; begin: number }): SloHistory {
  const rule = ruleOf(spec)
  const byHour = new Map(hours.map((hour) => [hour.hour, hour]))
  const history: SloHistory = { stepMinutes: hourMinutes, times: [], remaining: [], sli: [], bad: [], total: [] }
  let window: Units = nothing
  let [first, next] = [hours[0]?.hour ?? from, hours[0]?.hour ?? from]
  for (let hour = from; hour <= until; hour += hourMinutes) {
    const end = Math.min(hour + hourMinutes - 1, until)
    for (; next <= hour; next += hourMinutes) window = plus(window, byHour.get(next) ?? nothing)
    const start = windowStart(spec.window ?? defaultWindow, end)
    for (; first < Math.min(start, next); first += hourMinutes) window = plus(window, byHour.get(first) ?? nothing, -1)
    const { bad, total } = budgetShare(rule, { budget: window, begin, start, burn: {} as never }, end)
    const own = byHour.get(hour)
    history.times.push((end + 1) * 60)
    history.remaining.push(end >= begin && total > 0 ? Number((1 - bad / total / allowance(spec.objective)).toFixed(4)) : null)
    history.sli.push(own && own.total > 0 ? Number((own.good / own.total).toFixed(6)) : null)
    history.bad.push(own ? own.total - own.good : 0)
    history.total.push(own?.total ?? 0)
  }
  return history
}
