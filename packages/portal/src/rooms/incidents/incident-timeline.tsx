/** What happened, the newest first, as it happens. */
import type { IncidentEntry } from '@pavior/contract'
import { SegmentedControl, Text } from '@mantine/core'
import { useSearchParams, useSetSearchParams } from '../../frame/search-params.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import type { Tone } from '../../pieces/status.tsx'
import { Timeline, type TimelineEntry } from '../../pieces/timeline.tsx'
import { useTimeline, who, type Incident } from './reads.ts'

const words: Record<IncidentEntry['kind'], { word: string; tone: Tone }> = {
  opened: { word: 'Opened', tone: 'bad' },
  alert: { word: 'Alert', tone: 'bad' },
  deployment: { word: 'Deploy', tone: 'busy' },
  change: { word: 'Change', tone: 'warn' },
  freeze: { word: 'Freeze', tone: 'idle' },
  state: { word: 'State', tone: 'good' },
  acknowledged: { word: 'Taken', tone: 'good' },
  role: { word: 'Role', tone: 'idle' },
  severity: { word: 'Severity', tone: 'warn' },
  note: { word: 'Note', tone: 'idle' },
  update: { word: 'Update', tone: 'idle' },
  published: { word: 'Public', tone: 'good' },
  evidence: { word: 'Evidence', tone: 'idle' },
  runbook: { word: 'Runbook', tone: 'busy' },
  postmortem: { word: 'Learned', tone: 'good' },
}

const said = new Set<IncidentEntry['kind']>(['note', 'update', 'published', 'state', 'acknowledged', 'role', 'severity'])
const changed = new Set<IncidentEntry['kind']>(['deployment', 'change', 'freeze'])

export function IncidentTimeline({ incident: { metadata, status } }: { incident: Incident }) {
  const entries = useTimeline(metadata.namespace!, metadata.name)
  const { show = 'all' } = useSearchParams()
  const setSearch = useSetSearchParams()
  const shown = entries?.filter(({ kind }) => show === 'all' || (show === 'said' ? said.has(kind) : changed.has(kind)))
  return (
    <Section
      title="What happened"
      actions={<SegmentedControl size="xs" aria-label="Which lines" value={show} onChange={(value) => setSearch({ show: value === 'all' ? undefined : value })} data={[{ value: 'all', label: 'All' }, { value: 'changed', label: 'Changes' }, { value: 'said', label: 'People' }]} />}
    >
      {shown === undefined ? <RowsSkeleton count={4} /> : shown.length === 0 ? <EmptyState title="Nothing of that kind happened." /> : <Timeline label="Timeline" entries={shown.map(lineOf)} />}
      {status?.leftOut !== undefined && <Text size="sm" c="dimmed">{status.leftOut} more happened; the timeline is full.</Text>}
    </Section>
  )
}

function lineOf({ id, at, kind, actor, text, data }: IncidentEntry): TimelineEntry {
  const quoted = kind === 'note' || kind === 'update' || kind === 'published'
  const { word, tone } = words[kind]
  const ended = kind === 'alert' && data?.state !== 'Firing'
  return {
    key: id,
    word,
    tone: ended ? 'good' : tone,
    at,
    title: quoted ? `${who(actor)}:` : text,
    ...(quoted ? { text: <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>{text}</span> } : {}),
  }
}
