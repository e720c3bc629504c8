/** Previews of branches: where they answer, whether they sleep, when they end, and what can be done with them. */
import type { EnvironmentSpec, EnvironmentStatus, EnvironmentUse, Resource } from '@pavior/contract'
import { Anchor, Button, Group } from '@mantine/core'
import { useState } from 'react'
import { post, remove } from '../../frame/api.ts'
import { appApi, appPath, type AppPlace } from '../../frame/apps.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { IconGitBranch } from '@tabler/icons-react'
import { Status, type Tone } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { durationText } from '../../pieces/time-text.ts'
import { useAct } from '../../pieces/use-act.ts'

export type PreviewEnvironment = Resource<EnvironmentSpec, EnvironmentStatus>

interface Row {
  environment: PreviewEnvironment
  place: AppPlace
  branch: string
  word: string
  tone: Tone | undefined
}

/** A preview may be an environment of any app of the team. */
export function rowsOf(environments: readonly PreviewEnvironment[], app?: string): Row[] {
  return environments.flatMap((environment) => {
    const { preview } = environment.spec
    if (!preview || (app !== undefined && preview.app !== app)) return []
    const { asleep, phase = 'Pending' } = environment.status?.preview ?? {}
    const word = asleep ? 'Asleep' : phase === 'Succeeded' ? 'Awake' : phase
    return [{ environment, place: { team: environment.metadata.namespace!, app: preview.app }, branch: preview.branch, word, tone: asleep ? 'idle' as const : phase === 'Succeeded' ? 'good' as const : undefined }]
  })
}

const of = ({ environment }: Row) => environment.status?.preview ?? {}
const shown = (url: string): string => url.replace(/^https?:\/\//, '').replace(/\.localhost(:\d+)?$/, '')

/** What it cost so far: memory is what sleeping previews hold on to, CPU is what they do not use. */
function costText(use: EnvironmentUse | undefined): string {
  return use ? `${use.cpuSeconds.toFixed(1)} s CPU, ${((use.awakeGibSeconds + use.asleepGibSeconds) / 3600).toFixed(2)} GiB h` : '–'
}

const columns: Column<Row>[] = [
  { key: 'branch', label: 'Branch', value: ({ branch }) => branch, show: (row) => <Branch row={row} /> },
  { key: 'state', label: 'State', value: ({ word }) => word, show: ({ word, tone }) => <Status word={word} {...(tone ? { tone } : {})} />, width: '96px' },
  { key: 'url', label: 'Address', value: (row) => of(row).url ?? '', show: (row) => <Address url={of(row).url} />, hideBelow: 'sm' },
  { key: 'ends', label: 'Ends', value: (row) => of(row).expiresAt ?? '', show: (row) => <Ago at={of(row).expiresAt} />, width: '90px', hideBelow: 'xs' },
  { key: 'spin', label: 'Spin-up', value: (row) => of(row).spinUpMs ?? 0, show: (row) => { const ms = of(row).spinUpMs; return ms === undefined ? '–' : durationText(ms) }, width: '90px', align: 'right', hideBelow: 'md' },
  { key: 'cost', label: 'Used so far', value: (row) => of(row).use?.cpuSeconds ?? 0, show: (row) => costText(of(row).use), width: '190px', hideBelow: 'lg' },
  { key: 'acts', label: 'Acts', value: () => '', show: (row) => <Acts row={row} />, width: '130px' },
]

const appColumn: Column<Row> = { key: 'app', label: 'App', value: ({ place }) => place.app, show: ({ place }) => <GoLink to={appPath(place, 'environments')}>{place.app}</GoLink>, width: '120px', hideBelow: 'xs' }

interface PreviewTableProps {
  rows: Row[]
  loading: boolean
  /** Whose previews these are; of every app when absent. */
  app?: string
}

export function PreviewTable({ rows, loading, app }: PreviewTableProps) {
  return (
    <DataTable
      label="previews"
      name="previews"
      rows={rows}
      columns={app === undefined ? [columns[0]!, appColumn, ...columns.slice(1)] : columns}
      rowKey={({ environment }) => environment.metadata.uid}
      loading={loading}
      empty={<EmptyState icon={IconGitBranch} title="No previews" text="Say that the app has previews in pavior.yaml on main. Every branch that is pushed then gets an environment of its own, until it is deleted or nobody uses it." commands={['printf "previews: {}\\n" >> pavior.yaml', 'git push pavior my-branch']} />}
    />
  )
}

function Branch({ row }: { row: Row }) {
  const { url } = of(row)
  return url === undefined ? <span>{row.branch}</span> : (
    <Anchor size="sm" href={url} target="_blank" rel="noopener">
      {row.branch}
    </Anchor>
  )
}

function Address({ url }: { url: string | undefined }) {
  return url === undefined ? <span>–</span> : (
    <Anchor size="sm" href={url} target="_blank" rel="noopener">
      {shown(url)}
    </Anchor>
  )
}

function Acts({ row }: { row: Row }) {
  const session = useSession()
  const { busy, error, act } = useAct()
  const [deleting, setDeleting] = useState(false)
  const { place, branch, environment } = row
  if (!mayAs(session, 'developer', place.team)) return null
  const { asleep } = of(row)
  const verb = asleep ? 'wake' : 'sleep'
  const change = (): void => act(() => post(appApi(place, `environments/${environment.metadata.name}/${verb}`)))
  return (
    <>
      <Group gap={4}>
        <Button size="compact-xs" variant="default" loading={busy} onClick={change} aria-label={`${asleep ? 'Wake' : 'Put to sleep'} ${branch}`}>
          {asleep ? 'Wake' : 'Sleep'}
        </Button>
        <Button size="compact-xs" variant="default" onClick={() => act(() => post(appApi(place, 'previews/keep'), { branch }))} aria-label={`Keep ${branch} for a week`}>
          Keep
        </Button>
        <Button size="compact-xs" variant="default" onClick={() => setDeleting(true)} aria-label={`Delete the preview of ${branch}`}>
          Delete
        </Button>
      </Group>
      {error && <ErrorState error={error} />}
      <Confirm
        opened={deleting}
        close={() => setDeleting(false)}
        title={`Delete the preview of ${branch}?`}
        losses={['Its instances and its address', 'Its configuration and its releases', 'The branch stays, and the next push of it makes a new preview']}
        action="Delete"
        confirm={() => remove(appApi(place, `previews?${new URLSearchParams({ branch })}`))}
      />
    </>
  )
}
