/** The spans of a trace in time: a row each, below its parent, with what it says when it is opened. */
import { spansInTree, type PlacedSpan, type Span } from '@pavior/contract'
import { Text, UnstyledButton } from '@mantine/core'
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { useMemo, useState } from 'react'
import { scaleText } from '../../pieces/number-text.ts'
import { ValueView } from '../../pieces/value-view.tsx'
import classes from './waterfall.module.css'

const mostDepth = 8
const indentPx = 14

export function Waterfall({ spans }: { spans: readonly Span[] }) {
  const placed = useMemo(() => spansInTree(spans), [spans])
  const from = Math.min(...spans.map(({ atMs }) => atMs))
  const whole = Math.max(...spans.map(({ atMs, durationMs }) => atMs + durationMs)) - from
  const [open, setOpen] = useState<string>()
  return (
    <ol className={classes.spans} aria-label="Spans">
      {placed.map((each) => (
        <Row key={each.span.spanId} placed={each} from={from} whole={whole} open={open === each.span.spanId} toggle={() => setOpen(open === each.span.spanId ? undefined : each.span.spanId)} />
      ))}
    </ol>
  )
}

function Row({ placed: { span, depth }, from, whole, open, toggle }: { placed: PlacedSpan; from: number; whole: number; open: boolean; toggle: () => void }) {
  const Chevron = open ? IconChevronDown : IconChevronRight
  const left = whole > 0 ? ((span.atMs - from) / whole) * 100 : 0
  const width = whole > 0 ? (span.durationMs / whole) * 100 : 100
  return (
    <li>
      <UnstyledButton className={classes.row} onClick={toggle} aria-expanded={open}>
        <span className={classes.name} style={{ paddingLeft: Math.min(depth, mostDepth) * indentPx }}>
          <Chevron size={14} aria-hidden />
          <span className={classes.text}>{span.name}</span>
          <span className={classes.app}>{span.app}</span>
          {span.failed && <span className={classes.failed}>failed</span>}
        </span>
        <span className={classes.duration}>{scaleText(span.durationMs, 'ms')}</span>
        <span className={classes.track} aria-hidden>
          <span className={classes.bar} data-failed={span.failed || undefined} style={{ left: `${left}%`, width: `max(2px, ${width}%)` }} />
        </span>
      </UnstyledButton>
      {open && <Details span={span} />}
    </li>
  )
}

function Details({ span: { message, attributes, events, request, team, environment, release, instance, kind, spanId, parentId, links } }: { span: Span }) {
  const facts = {
    ...(message ? { says: message } : {}), team, environment, ...(release === undefined ? {} : { release: `v${release}` }), ...(instance ? { instance } : {}), kind, span: spanId, ...(parentId ? { parent: parentId } : {}),
    ...request, ...attributes, ...(links.length > 0 ? { links: links.map(({ traceId }) => traceId) } : {}),
  }
  return (
    <div className={classes.details}>
      <ValueView value={facts} literal />
      {events.map(({ name, attributes: said }, index) => (
        <div key={`${name} ${index}`}>
          <Text size="sm" fw={600} mt={6}>
            {name}
          </Text>
          <ValueView value={said} literal />
        </div>
      ))}
    </div>
  )
}
