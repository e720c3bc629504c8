/** How much of a budget is left, as a bar with its figure. */
import classes from './budget-bar.module.css'
import { leftText, type Slo } from './reads.ts'

export function BudgetBar({ slo: { status } }: { slo: Slo }) {
  const remaining = status?.budget?.remaining
  const width = Math.round(Math.min(1, Math.max(0, remaining ?? 0)) * 100)
  return (
    <span className={classes.budget}>
      {remaining !== undefined && (
        <span className={classes.track} aria-hidden>
          <span className={classes.left} data-low={remaining < 0.5 || undefined} style={{ width: `${width}%` }} />
        </span>
      )}
      <span>{leftText(remaining)}</span>
    </span>
  )
}
