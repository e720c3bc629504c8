/** One repository: is what it declares in force, what differs, what became of its commits, what it owns. */
import type { ConfigCommit, ConfigItem } from '@pavior/contract'
import { Button } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { post } from '../../frame/api.ts'
import { useResource } from '../../frame/collections.ts'
import { genericHref } from '../../frame/registry.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Stats } from '../../pieces/stats.tsx'
import { Status } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { useAct } from '../../pieces/use-act.ts'
import { stateOf, type ConfigRepo } from './state.ts'

const commitColumns: Column<ConfigCommit>[] = [
  { key: 'commit', label: 'Commit', value: ({ commit }) => commit.slice(0, 10), width: '110px' },
  { key: 'verdict', label: 'Verdict', value: ({ failed }) => (failed > 0 ? 'Refused' : 'Applied'), show: ({ failed }) => <Status word={failed > 0 ? 'Refused' : 'Applied'} tone={failed > 0 ? 'bad' : 'good'} />, width: '110px' },
  { key: 'message', label: 'Message', value: ({ message }) => message ?? '' },
  { key: 'counts', label: 'Resources', value: ({ applied, unchanged, pruned }) => `${applied} applied, ${unchanged} unchanged, ${pruned} deleted`, width: '260px', hideBelow: 'md' },
  { key: 'at', label: 'When', value: ({ at }) => at, show: ({ at }) => <Ago at={at} />, width: '100px', hideBelow: 'xs' },
]

const itemColumns: Column<ConfigItem>[] = [
  { key: 'name', label: 'Name', value: ({ name }) => name },
  { key: 'kind', label: 'Kind', value: ({ kind }) => kind },
  { key: 'file', label: 'File', value: ({ file }) => file, hideBelow: 'xs' },
]

export default function Repository() {
  const { team = '', name = '' } = useParams({ strict: false })
  const session = useSession()
  const { resource: repo, loading } = useResource<ConfigRepo>('configrepos', team, name)
  const sync = useAct()
  if (loading) return <PageSkeleton />
  if (!repo) {
    return (
      <>
        <PageHeader title={name} crumbs={[{ label: 'Repositories', to: '/repositories' }]} />
        <EmptyState title={`There is no repository ${name} in team ${team}.`} text="It may have been deleted. This makes one that is kept here:" commands={[`pavior gitops init ${name} --team ${team}`]} />
      </>
    )
  }
  const { status = {}, spec } = repo
  const synced = status.conditions?.find(({ type }) => type === 'Synced')
  return (
    <>
      <PageHeader
        title={name}
        crumbs={[{ label: 'Repositories', to: '/repositories' }]}
        text={spec.url ?? status.url ?? 'Kept here'}
        actions={
          mayAs(session, 'admin', team) && (
            <Button size="xs" loading={sync.busy} onClick={() => sync.act(() => post(`/v1/teams/${encodeURIComponent(team)}/configrepos/${encodeURIComponent(name)}/sync`, {}))}>
              Look and apply now
            </Button>
          )
        }
      />
      {sync.error && <ErrorState error={sync.error} />}
      <Stats
        stats={[
          { label: 'State', value: <Status {...stateOf(repo)} />, hint: synced && <>since <Ago at={synced.lastTransitionTime} /></> },
          { label: 'Commit', value: status.commit?.slice(0, 10) ?? 'none', hint: `of ${spec.branch ?? 'main'}` },
          { label: 'Owns', value: status.inventory?.length ?? 0, hint: 'resources' },
          { label: 'Differ', value: status.drift?.length ?? 0, hint: spec.drift === 'report' ? 'only reported' : 'put back by itself' },
        ]}
      />
      <Verdict repo={repo} message={synced?.message} />
      <Section title="Commits">
        <DataTable label="commits" name="commits" rows={status.commits ?? []} columns={commitColumns} rowKey={({ commit }) => commit} empty={<CopyCommand command={`git push ${status.url ?? ''} HEAD:${spec.branch ?? 'main'}`} />} />
      </Section>
      <Section title="What it owns" actions={<GoLink size="sm" to={genericHref('configrepos', team, name)}>Settings of {name}</GoLink>}>
        <DataTable label="resources" name="owns" rows={status.inventory ?? []} columns={itemColumns} rowKey={({ kind, name: each }) => `${kind}/${each}`} empty={<span>Nothing yet.</span>} />
      </Section>
    </>
  )
}

function Verdict({ repo: { status = {} }, message }: { repo: ConfigRepo; message: string | undefined }) {
  const newest = status.commits?.[0]
  const places = [...(newest?.failed ? (newest.errors ?? []) : []), ...(status.drift ?? []).map(({ kind, name, file, fields }) => ({ file, message: `${kind} ${name} differs in ${fields.join(', ')}` }))]
  if (places.length === 0) return <p>{message}</p>
  return (
    <Section title={newest?.failed ? 'Why it is not applied' : 'What differs'}>
      <ul>
        {places.map(({ file, message: text }) => (
          <li key={`${file} ${text}`}>
            <code>{file}</code> {text}
          </li>
        ))}
      </ul>
    </Section>
  )
}
