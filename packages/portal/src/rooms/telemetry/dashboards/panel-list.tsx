/** What Pavior knows itself, as it is now: the same collections as their own pages show. */
import type { ChangeEvent, Panel } from '@pavior/contract'
import { ScrollArea, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { get } from '../../../frame/api.ts'
import { appApi, appPath, type Deployment } from '../../../frame/apps.ts'
import { useCollection, useNewest } from '../../../frame/collections.ts'
import { Ago } from '../../../pieces/ago.tsx'
import { scaleText } from '../../../pieces/number-text.ts'
import { RowsSkeleton } from '../../../pieces/page-skeleton.tsx'
import { Status, type Tone } from '../../../pieces/status.tsx'
import { alertPath, byUrgency as byAlarm, stateOf as alertState, type Alert, type Schedule } from '../../alerts/reads.ts'
import { byUrgency, incidentPath, severityOf, sinceOf, stateOf, type Incident } from '../../incidents/reads.ts'
import { byTrouble, leftText, sloPath, stateOf as sloState, type Slo } from '../../reliability/reads.ts'
import { Histogram } from '../logs/histogram.tsx'
import { questionOf } from '../logs/reads.ts'
import { tracesQuery, whyPath } from '../trace-reads.ts'
import type { PanelPlace } from './answer.ts'
import classes from './dashboards.module.css'

const shownRows = 20

interface Row {
  key: string
  word: string
  tone?: Tone
  to: string
  search?: Record<string, string>
  title: string
  /** Beside it, where there is room. */
  note?: ReactNode
  at?: string | undefined
}

export function ListBody({ panel, place, inSight }: { panel: Panel; place: PanelPlace; inSight: boolean }) {
  if (!inSight) return null
  const One = lists[panel.list!]
  return <One place={place} label={panel.title} />
}

interface ListProps {
  place: PanelPlace
  label: string
}

const lists: Record<NonNullable<Panel['list']>, (props: ListProps) => ReactNode> = { alerts: Alerts, incidents: Incidents, slos: Slos, deployments: Deployments, oncall: OnCall, changes: Changes, logs: Logs, traces: Traces }

/** Of the app that is chosen, where the dashboard is about one. */
function useOfPlace<R extends { spec: { app?: string; environment?: string } }>(items: R[], { values: { app, environment } }: PanelPlace): R[] {
  return items.filter(({ spec }) => (app === undefined || spec.app === app) && (environment === undefined || spec.environment === undefined || spec.environment === environment))
}

function Rows({ label, rows, loading = false, none }: { label: string; rows: Row[]; loading?: boolean; none: string }) {
  if (loading && rows.length === 0) return <RowsSkeleton count={3} />
  if (rows.length === 0) return <Text size="sm" c="dimmed">{none}</Text>
  return (
    <ScrollArea h="100%" type="auto">
      <ul className={classes.rows} aria-label={label}>
        {rows.slice(0, shownRows).map(({ key, word, tone, to, search, title, note, at }) => (
          <li key={key}>
            <Status word={word} {...(tone ? { tone } : {})} />
            <Link to={to} {...(search ? { search: search as never } : {})} className={classes.rowTitle} title={title}>
              {title}
            </Link>
            <span className={classes.rowNote}>{note}</span>
            <span className={classes.rowTime}>{at && <Ago at={at} />}</span>
          </li>
        ))}
      </ul>
      {rows.length > shownRows && <Text size="xs" c="dimmed">{rows.length - shownRows} more.</Text>}
    </ScrollArea>
  )
}

function Alerts({ place, label }: ListProps) {
  const { items, loading } = useCollection<Alert>('alerts', { team: place.team })
  const rows = useOfPlace(items.filter(({ status }) => status?.state !== 'Resolved').toSorted(byAlarm), place).map((each): Row => ({ key: each.metadata.uid, ...alertState(each), to: alertPath(each), title: each.spec.summary, note: each.spec.severity, at: each.status?.since }))
  return <Rows label={label} rows={rows} loading={loading} none="Nothing fires." />
}

function Incidents({ place, label }: ListProps) {
  const { items, loading } = useCollection<Incident>('incidents', { team: place.team })
  const rows = useOfPlace(items.toSorted(byUrgency), place).map((each): Row => ({ key: each.metadata.uid, ...stateOf(each), to: incidentPath(each), title: `${each.metadata.name} ${each.spec.title}`, note: severityOf(each).word, at: sinceOf(each) }))
  return <Rows label={label} rows={rows} loading={loading} none="There were no incidents." />
}

function Slos({ place, label }: ListProps) {
  const { items, loading } = useCollection<Slo>('slos', { team: place.team })
  const rows = useOfPlace(items.toSorted(byTrouble), place).map((each): Row => {
    const burn = each.status?.burn?.['6h']
    return { key: each.metadata.uid, ...sloState(each), to: sloPath(each), title: `${each.metadata.name}${each.spec.draft ? ' (draft)' : ''}`, note: `${leftText(each.status?.budget?.remaining)} left${burn === undefined ? '' : `, burns ${burn}×`}` }
  })
  return <Rows label={label} rows={rows} loading={loading} none="Nothing is promised yet." />
}

function Deployments({ place, label }: ListProps) {
  const { items, loading } = useCollection<Deployment>('deployments', { team: place.team })
  const newest = useNewest(items)
  const rows = useOfPlace(newest, place).map(({ metadata, spec, status }): Row => ({ key: metadata.uid, word: status?.phase ?? 'Pending', to: appPath({ team: place.team, app: spec.app }, 'deployments', metadata.name), title: `${spec.app} v${spec.release}${spec.reason ? ` · ${spec.reason}` : ''}`, note: spec.environment, at: metadata.creationTimestamp }))
  return <Rows label={label} rows={rows} loading={loading} none="Nothing was deployed yet." />
}

function OnCall({ place, label }: ListProps) {
  const { items, loading } = useCollection<Schedule>('oncallschedules', { team: place.team })
  const rows = items.map(({ metadata, status }): Row => {
    const { now, next } = status ?? {}
    return { key: metadata.uid, word: now ? 'On call' : 'Nobody', tone: now ? 'good' : 'bad', to: '/on-call', search: { schedule: `${metadata.namespace}/${metadata.name}` }, title: `${now?.user ?? 'nobody'}, ${metadata.name}`, note: next ? `then ${next.user}` : '', at: now?.until }
  })
  return <Rows label={label} rows={rows} loading={loading} none="There is no schedule: nobody is on call." />
}

function Changes({ place, label }: ListProps) {
  const { team, values, time } = place
  const app = values.app ?? ''
  const { data = [], isPending } = useQuery({
    queryKey: ['panel-changes', team, app, time.from, time.until],
    queryFn: async ({ signal }) => (await get<{ items: ChangeEvent[] }>(appApi({ team, app }, `changes?from=${new Date(time.from * 1000).toISOString()}&until=${new Date(time.until * 1000).toISOString()}&limit=${shownRows}`), signal)).items,
    enabled: app !== '',
    placeholderData: (before) => before,
  })
  const rows = data.map((each): Row => ({ key: each.id, word: 'Changed', tone: 'idle', to: appPath({ team, app }), title: each.text, note: each.source, at: each.at }))
  return <Rows label={label} rows={rows} loading={isPending && app !== ''} none="Nobody told of a change in this time." />
}

function Logs({ place }: ListProps) {
  const { team, values: { app = '', environment = '' }, time } = place
  if (app === '') return null
  return <Histogram place={{ team, app }} question={questionOf({ environment })} lengthMs={time.lengthMs} fixed={{ from: new Date(time.from * 1000).toISOString(), until: new Date(time.until * 1000).toISOString() }} zoom={(from, until) => time.zoom(from / 1000, until / 1000)} />
}

function Traces({ place, label }: ListProps) {
  const { team, values: { app = '', environment = '' }, time } = place
  const filter = { environment, from: new Date(time.from * 1000).toISOString(), until: new Date(time.until * 1000).toISOString(), leastMs: undefined, failed: false, name: undefined }
  const { data = [], isPending } = useQuery({ ...tracesQuery({ team, app }, filter), enabled: app !== '', placeholderData: (before) => before })
  const rows = data.toSorted((one, other) => other.durationMs - one.durationMs).map((each): Row => ({ key: each.traceId, word: String(each.status ?? (each.failed ? 'failed' : 'ok')), tone: each.failed ? 'bad' : 'good', to: whyPath(each.requestId ?? each.traceId), title: each.name, note: scaleText(each.durationMs, 'ms'), at: new Date(each.atMs).toISOString() }))
  return <Rows label={label} rows={rows} loading={isPending && app !== ''} none="No traces in this time." />
}
