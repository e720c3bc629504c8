import { Button, Tabs } from '@mantine/core'
import { IconPencil, IconTrash } from '@tabler/icons-react'
import type { Resource } from '@pavior/contract'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { remove, resourcePath } from '../../frame/api.ts'
import { useResource } from '../../frame/collections.ts'
import { useGo } from '../../frame/navigation.ts'
import { genericHref } from '../../frame/registry.ts'
import { useSearchParam } from '../../frame/search-params.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useShortcuts } from '../../frame/shortcuts.ts'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ProblemState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Status } from '../../pieces/status.tsx'
import { YamlEditor } from '../../pieces/yaml-editor.tsx'
import { wholeYaml } from './manifest.ts'
import { Events } from './resource-events.tsx'
import { History } from './resource-history.tsx'
import { Overview } from './resource-overview.tsx'
import { Related } from './resource-related.tsx'
import { useKind, useNamed, type KnownKind } from './use-kind.ts'

export default function DetailPage() {
  const kind = useKind()
  const { team, name } = useNamed()
  const { resource, loading, error } = useResource(kind?.plural ?? 'teams', kind?.namespaced === false ? undefined : team, name)
  if (!kind || (loading && !resource)) return <PageSkeleton />
  if (error) return <ProblemState problem={{ message: error.message ?? 'It cannot be read.' }} />
  if (!resource) return <Absent kind={kind} name={name} />
  return <Detail kind={kind} resource={resource} />
}

function Absent({ kind, name }: { kind: KnownKind; name: string }) {
  return (
    <>
      <PageHeader title={name} crumbs={crumbsOf(kind)} />
      <EmptyState title={`There is no ${kind.kind} "${name}"`} text="It may have been deleted, or it is in a team that you may not read." commands={[`pavior get ${kind.plural}`]} />
    </>
  )
}

function crumbsOf(kind: KnownKind) {
  return [{ label: 'Resources', to: '/kinds' }, { label: kind.kind, to: `/kinds/${kind.plural}` }]
}

const tabs = [
  { value: 'overview', label: 'Overview' },
  { value: 'events', label: 'Events' },
  { value: 'related', label: 'Related' },
  { value: 'history', label: 'History' },
  { value: 'yaml', label: 'YAML' },
]

function Detail({ kind, resource }: { kind: KnownKind; resource: Resource }) {
  const { name, creationTimestamp, namespace, deletionTimestamp } = resource.metadata
  const [tab = 'overview', setTab] = useSearchParam('tab')
  const phase = typeof resource.status?.phase === 'string' ? resource.status.phase : undefined
  return (
    <>
      <PageHeader
        title={name}
        crumbs={crumbsOf(kind)}
        beside={deletionTimestamp ? <Status word="Being deleted" tone="busy" /> : phase && <Status word={phase} />}
        text={
          <>
            {kind.kind}
            {namespace && ` in team ${namespace}`}, made <Ago at={creationTimestamp} />
          </>
        }
        actions={<Actions kind={kind} resource={resource} />}
      />
      <Tabs value={tab} onChange={(value) => setTab(value === 'overview' ? undefined : (value ?? undefined), { push: true })} keepMounted={false}>
        <Tabs.List mb="md">
          {tabs.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">
          <Overview resource={resource} />
        </Tabs.Panel>
        <Tabs.Panel value="events">
          <Events resource={resource} />
        </Tabs.Panel>
        <Tabs.Panel value="related">
          <Related resource={resource} />
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <History resource={resource} />
        </Tabs.Panel>
        <Tabs.Panel value="yaml">
          <YamlEditor label={`${name} as YAML`} value={wholeYaml(resource)} />
        </Tabs.Panel>
      </Tabs>
    </>
  )
}

function Actions({ kind, resource }: { kind: KnownKind; resource: Resource }) {
  const session = useSession()
  const go = useGo()
  const [asking, setAsking] = useState(false)
  const { name, namespace } = resource.metadata
  const edit = `${genericHref(kind.plural, namespace, name)}/edit`
  const may = kind.namespaced ? mayAs(session, 'developer', namespace) : session.admin
  useShortcuts(may ? [{ keys: 'e', label: `Edit ${name}`, group: 'Page', run: () => go(edit) }] : [])
  if (!may) return null
  return (
    <>
      <Button size="sm" variant="default" leftSection={<IconTrash size={16} />} onClick={() => setAsking(true)}>
        Delete
      </Button>
      <Button size="sm" variant="light" leftSection={<IconPencil size={16} />} aria-keyshortcuts="e" renderRoot={(props) => <Link to={edit} {...props} />}>
        Edit
      </Button>
      <Confirm
        opened={asking}
        close={() => setAsking(false)}
        title={`Delete the ${kind.kind} ${name}?`}
        losses={[`The ${kind.kind} ${name}${namespace ? ` of team ${namespace}` : ''} goes, and what belongs to it goes with it (see the tab Related).`, 'There is no way back.']}
        action="Delete"
        name={name}
        confirm={async () => {
          await remove(resourcePath(kind.plural, namespace, name))
          go(`/kinds/${kind.plural}`)
        }}
      />
    </>
  )
}
