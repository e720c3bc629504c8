import { Group, NativeSelect, TextInput } from '@mantine/core'
import { apiVersion, type Cause } from '@pavior/contract'
import { useGo } from '../../frame/navigation.ts'
import { resourceHref } from '../../frame/registry.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam, useTeams } from '../../frame/team.ts'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { causesAt, defaultsOf, freshValue } from '../../pieces/schema-plan.ts'
import { nameField, ResourceEditor } from './resource-editor.tsx'
import { useDraft } from './use-draft.ts'
import { useKind, type KnownKind } from './use-kind.ts'

export default function CreatePage() {
  const kind = useKind()
  const chosen = useTeam()
  const session = useSession()
  const { teams, loading } = useTeams()
  const own = teams.filter((team) => mayAs(session, 'developer', team))
  // The draft begins with a team, so the teams come first.
  if (!kind || (kind.namespaced && loading)) return <PageSkeleton />
  return <Create key={kind.plural} kind={kind} teams={own} team={chosen ?? own[0]} />
}

function Create({ kind, teams, team }: { kind: KnownKind; teams: string[]; team: string | undefined }) {
  const go = useGo()
  const { schema } = kind
  const spec = { ...(freshValue({ ...schema.spec, default: undefined }) as Record<string, unknown>), ...defaultsOf(schema.spec) }
  const draft = useDraft({ apiVersion, kind: kind.kind, metadata: { name: '', ...(kind.namespaced && team !== undefined ? { namespace: team } : {}) }, spec })
  const { manifest, setManifest } = draft
  const setMetadata = (change: object): void => setManifest({ ...manifest, metadata: { ...manifest.metadata, ...change } })
  const head = (causes: readonly Cause[]) => (
    <Group grow align="flex-start">
      <TextInput label="Name" withAsterisk autoFocus autoComplete="off" error={causesAt(causes, nameField)} value={manifest.metadata.name} onChange={({ currentTarget }) => setMetadata({ name: currentTarget.value })} />
      {kind.namespaced && <NativeSelect label="Team" withAsterisk data={[...new Set([...teams, manifest.metadata.namespace ?? ''])]} value={manifest.metadata.namespace ?? ''} onChange={({ currentTarget }) => setMetadata({ namespace: currentTarget.value })} />}
    </Group>
  )
  return (
    <>
      <PageHeader title={`Create ${kind.kind}`} crumbs={[{ label: 'Resources', to: '/kinds' }, { label: kind.kind, to: `/kinds/${kind.plural}` }]} text={schema.description} />
      <ResourceEditor kind={kind} draft={draft} resourceVersion={undefined} action="Create" head={head} saved={(resource) => go(resourceHref(kind.plural, resource))} cancel={() => go(`/kinds/${kind.plural}`)} />
    </>
  )
}
