/** One objective: is it kept, how fast does its budget go, who burned it. */
import { burnWindows, objectiveText, type BurnWindow, type SloBurns, type SloHistory } from '@pavior/contract'
import { Button, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { patch, resourcePath } from '../../frame/api.ts'
import { appPath } from '../../frame/apps.ts'
import { useResource } from '../../frame/collections.ts'
import { genericHref } from '../../frame/registry.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton, RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Stats, type Stat } from '../../pieces/stats.tsx'
import { Status } from '../../pieces/status.tsx'
import { TimeSeries } from '../../pieces/time-series.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { BurnTables } from './burn-tables.tsx'
import { burnedQuery, environmentOf, goodText, historyQuery, leftText, sloPath, stateOf, type Slo } from './reads.ts'

const crumbs = [{ label: 'Objectives', to: '/slos' }]

export default function SloPage() {
  const { team = '', name = '' } = useParams({ strict: false })
  const { resource: slo, loading } = useResource<Slo>('slos', team, name)
  if (loading) return <PageSkeleton />
  if (!slo) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`There is no objective ${name} in team ${team}.`} text="It may have been deleted, or its app. All there are:" commands={[`pavior slo list --team ${team}`]} />
      </>
    )
  }
  const { spec, status = {} } = slo
  return (
    <>
      <PageHeader title={name} crumbs={crumbs} text={spec.description ?? ''} actions={<Adopt slo={slo} />} />
      <Text size="sm" mb="sm">
        <Status {...stateOf(slo)} /> {status.message ?? 'Nothing was counted yet.'}
      </Text>
      {(status.reasons ?? []).map((reason) => (
        <Text key={reason} size="sm">
          {reason}
        </Text>
      ))}
      {(status.alerts ?? []).map(({ alert, since, text }) => (
        <Text key={alert} size="sm">
          <Status word={alert === 'page' ? 'Page' : 'Ticket'} tone={alert === 'page' ? 'bad' : 'warn'} /> {text} It began <Ago at={since} />.
        </Text>
      ))}
      <div style={{ marginTop: 12 }}>
        <Stats stats={statsOf(slo)} />
      </div>
      <Burn slo={slo} />
      {spec.composite ? <Parts slo={slo} /> : <Counted slo={slo} />}
      <Section title="What it promises" actions={<GoLink size="sm" to={genericHref('slos', team, name)}>Settings of {name}</GoLink>}>
        <Text size="sm">{promiseOf(slo)}</Text>
        {spec.app && (
          <Text size="sm" mt={4}>
            <GoLink size="sm" to={appPath({ team, app: spec.app })} search={{ environment: environmentOf(slo) }}>
              {spec.app} in {environmentOf(slo)}
            </GoLink>
          </Text>
        )}
      </Section>
    </>
  )
}

function Adopt({ slo: { metadata, spec } }: { slo: Slo }) {
  const session = useSession()
  const { busy, error, act } = useAct()
  if (!spec.draft) return null
  if (!mayAs(session, 'developer', metadata.namespace!)) return <CopyCommand command={`pavior slo adopt ${metadata.name} --team ${metadata.namespace}`} />
  return (
    <>
      <Button size="xs" loading={busy} onClick={() => act(() => patch(resourcePath('slos', metadata.namespace, metadata.name), { spec: { draft: null } }))}>
        Confirm this draft
      </Button>
      {error && <ErrorState error={error} />}
    </>
  )
}

function statsOf({ spec, status = {} }: Slo): Stat[] {
  const { budget, sli, forecast = [], since } = status
  const bad = budget !== undefined && budget.remaining <= 0
  return [
    { label: 'Good', value: goodText(sli), hint: `${objectiveText(spec.objective)} are promised` },
    { label: 'Budget left', value: leftText(budget?.remaining), hint: budget?.unit === 'share' ? 'the mean of its parts' : budget ? `${round(budget.used)} bad; ${round(budget.total)} ${budget.unit} are allowed so far` : 'nothing was counted', ...(bad ? { tone: 'bad' as const } : {}) },
    { label: 'Nothing left', value: bad ? 'now' : forecast[0] ? <Ago at={forecast[0].exhaustedAt} /> : 'not in sight', hint: `by the burn of ${forecast.length > 0 ? forecast.map(({ by }) => by).join(' and ') : '6h and 3d'}` },
    { label: 'State', value: <Status word={status.state ?? 'NoData'} tone={stateOf({ status } as Slo).tone} />, hint: since && <>since <Ago at={since} /></> },
  ]
}

function Burn({ slo: { status } }: { slo: Slo }) {
  const rates = status?.burn ?? {}
  const windows = (Object.keys(burnWindows) as BurnWindow[]).filter((window) => rates[window] !== undefined)
  if (windows.length === 0) return null
  return (
    <Section title="How fast the budget goes">
      <Stats stats={windows.map((window) => ({ label: `Over ${window}`, value: `${rates[window]}×`, hint: rates[window]! > 1 ? 'faster than allowed' : 'of what is allowed', ...(rates[window]! > 1 ? { tone: 'warn' as const } : {}) }))} />
    </Section>
  )
}

function Counted({ slo }: { slo: Slo }) {
  const history = useQuery(historyQuery(slo))
  const burned = useQuery(burnedQuery(slo))
  const error = history.error ?? burned.error
  if (error) return <ErrorState error={error} />
  return (
    <>
      <Section title="Over time">
        {history.data ? <OverTime history={history.data} /> : <RowsSkeleton count={3} />}
      </Section>
      {burned.data ? <Burned burns={burned.data} slo={slo} /> : <RowsSkeleton count={3} />}
    </>
  )
}

/** From the first hour on of which anything is known, or the one before it: a line needs two ends. */
function OverTime({ history }: { history: SloHistory }) {
  const first = Math.max(0, Math.min(history.times.length - 2, history.remaining.findIndex((value) => value !== null) - 1))
  const times = history.times.slice(first)
  const left = history.remaining.slice(first).map((value) => value && Math.max(0, value) * 100)
  return (
    <>
      <TimeSeries title="Budget left" times={times} lines={[{ label: 'left', values: left, fill: true }]} unit="%" sync="slo" />
      <TimeSeries title="Bad in an hour" times={times} lines={[{ label: 'bad', values: history.bad.slice(first), colour: 1 }]} unit="" height={110} sync="slo" />
    </>
  )
}

function Burned({ burns, slo }: { burns: SloBurns; slo: Slo }) {
  if (burns.used === 0) {
    return (
      <Section title="Who burned it">
        <Text size="sm">Nothing burned the budget in this window.</Text>
      </Section>
    )
  }
  return <BurnTables burns={burns} place={slo.spec.app === undefined ? undefined : { team: slo.metadata.namespace!, app: slo.spec.app }} environment={environmentOf(slo)} />
}

function Parts({ slo: { metadata, spec } }: { slo: Slo }) {
  return (
    <Section title="Made of">
      {spec.composite!.map(({ slo: part, weight = 1 }) => (
        <Text key={part} size="sm">
          <GoLink size="sm" to={sloPath({ metadata: { name: part, namespace: metadata.namespace } } as Slo)}>
            {part}
          </GoLink>{' '}
          with weight {weight}
        </Text>
      ))}
    </Section>
  )
}

function promiseOf({ spec }: Slo): string {
  const { indicator, window, budgeting = 'Occurrences', budgetPolicy } = spec
  const over = window?.calendar ? `each ${window.calendar.period} in ${window.calendar.timeZone}` : `any ${window?.rolling ?? '28d'}`
  const after = { none: 'nothing happens', warn: 'deployments are warned', requireApproval: 'a deployment needs one more approval', freeze: 'deployments wait' }[budgetPolicy?.onExhausted ?? 'warn']
  const what = indicator?.golden === 'latency' ? `requests are answered within ${indicator.thresholdMs} ms` : indicator?.golden === 'requests' ? 'requests are answered without a server error' : indicator?.threshold ? `${indicator.threshold.query} is ${indicator.threshold.op} ${indicator.threshold.value}` : indicator?.ratio ? `${indicator.ratio.good ?? indicator.ratio.bad} of ${indicator.ratio.total} is ${indicator.ratio.good ? 'good' : 'bad'}` : 'its parts are good'
  return `${objectiveText(spec.objective)} over ${over}: ${what}. ${budgeting} are counted. When nothing is left, ${after}; rollbacks always pass.`
}

function round(value: number): number {
  return Number(value.toFixed(2))
}
