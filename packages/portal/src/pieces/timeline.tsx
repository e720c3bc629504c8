/** What happened, newest first: one line each with its status, and more below it where there is more. */
import type { ReactNode } from 'react'
import { Ago } from './ago.tsx'
import { Status, type Tone } from './status.tsx'
import classes from './timeline.module.css'

export interface TimelineEntry {
  key: string
  word: string
  tone?: Tone
  title: ReactNode
  /** ISO 8601. */
  at: string | undefined
  text?: ReactNode
  /** Buttons. */
  actions?: ReactNode
}

export function Timeline({ entries, label }: { entries: TimelineEntry[]; label: string }) {
  return (
    <ol className={classes.timeline} aria-label={label}>
      {entries.map(({ key, word, tone, title, at, text, actions }) => (
        <li key={key} className={classes.entry}>
          <div className={classes.state}>
            <Status word={word} {...(tone ? { tone } : {})} />
          </div>
          <div className={classes.what}>
            <div>{title}</div>
            {text && <div className={classes.text}>{text}</div>}
          </div>
          <div className={classes.when}>
            <Ago at={at} />
          </div>
          {actions && <div className={classes.actions}>{actions}</div>}
        </li>
      ))}
    </ol>
  )
}
