/** One entry of a log: a line to read, and all that it says when it is opened. */
import { Group } from '@mantine/core'
import type { LogEntry } from '@pavior/contract'
import { useState } from 'react'
import { useSetSearchParams } from '../../../frame/search-params.ts'
import { CopyButton } from '../../../pieces/copy-button.tsx'
import { GoLink } from '../../../pieces/go-link.tsx'
import classes from './logs.module.css'

const clock = new Intl.DateTimeFormat(undefined, { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hour12: false })

export function Entry({ entry, originPrefix }: { entry: LogEntry; originPrefix: string }) {
  const [open, setOpen] = useState(false)
  const { time, level, instance, sender, message, line } = entry
  const origin = instance ?? sender ?? ''
  return (
    <li className={classes.entry} data-level={level}>
      <button type="button" className={classes.line} aria-expanded={open} onClick={() => setOpen(!open)}>
        <time className={classes.faint} dateTime={time} title={time}>
          {clock.format(new Date(time))}
        </time>
        <span className={classes.level}>{level ?? ''}</span>
        <span className={classes.origin} title={origin}>
          {origin.startsWith(originPrefix) ? origin.slice(originPrefix.length) : origin}
        </span>
        <span className={classes.text}>{firstLine(message ?? line)}</span>
      </button>
      {open && <Details entry={entry} />}
    </li>
  )
}

function firstLine(text: string): string {
  const end = text.indexOf('\n')
  return end < 0 ? text : `${text.slice(0, end)} …`
}

function Details({ entry }: { entry: LogEntry }) {
  const { line, message, attributes = {}, requestId, traceId, environment, release, process, instance, sender } = entry
  const set = useSetSearchParams()
  const where = { environment, release: release === undefined ? undefined : `v${release}`, process, instance, sender, 'request id': requestId, 'trace id': traceId }
  const facts = [...Object.entries(where), ...Object.entries(attributes)].filter(([, value]) => value !== undefined)
  return (
    <div className={classes.details}>
      <pre className={classes.whole} tabIndex={0} aria-label="The whole entry">
        {message ?? line}
      </pre>
      <Group gap="md" my={6}>
        <CopyButton text={line} label="Copy as it was written" />
        {requestId !== undefined && <GoLink size="xs" to={`/why/${encodeURIComponent(requestId)}`}>What happened to this request</GoLink>}
        {requestId !== undefined && <Only label="Lines of this request" act={() => set({ request: requestId, trace: undefined, grep: undefined, level: undefined }, { push: true })} />}
        {traceId !== undefined && <Only label="Lines of this trace" act={() => set({ trace: traceId, request: undefined, grep: undefined, level: undefined }, { push: true })} />}
      </Group>
      <table className={classes.facts}>
        <tbody>
          {facts.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{typeof value === 'string' ? value : JSON.stringify(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Only({ label, act }: { label: string; act: () => void }) {
  return (
    <button type="button" className={classes.only} onClick={act}>
      {label}
    </button>
  )
}
