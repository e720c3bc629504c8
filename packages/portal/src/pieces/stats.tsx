/** A few figures that tell whether it is fine, in one row. */
import type { ReactNode } from 'react'
import { Skeleton } from '@mantine/core'
import type { Tone } from './status.tsx'
import classes from './stats.module.css'

export interface Stat {
  label: string
  /** Undefined while it loads. */
  value: ReactNode
  /** Below it: what it is measured against. */
  hint?: ReactNode
  tone?: Tone
}

export function Stats({ stats }: { stats: Stat[] }) {
  return (
    <dl className={classes.stats}>
      {stats.map(({ label, value, hint, tone }) => (
        <div key={label} className={classes.stat} data-tone={tone}>
          <dt>{label}</dt>
          <dd className={classes.value}>{value ?? <Skeleton height={22} width={56} />}</dd>
          <dd className={classes.hint}>{hint}</dd>
        </div>
      ))}
    </dl>
  )
}
