import { Alert, Button, Group, Text } from '@mantine/core'
import type { Resource } from '@pavior/contract'
import { useState } from 'react'
import { useResource } from '../../frame/collections.ts'
import { useGo } from '../../frame/navigation.ts'
import { genericHref } from '../../frame/registry.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { manifestOf, type Manifest } from './manifest.ts'
import { ResourceEditor } from './resource-editor.tsx'
import { mergeThree } from '../../pieces/three-way.ts'
import { useDraft } from './use-draft.ts'
import { useKind, useNamed, type KnownKind } from './use-kind.ts'

export default function EditPage() {
  const kind = useKind()
  const { team, name } = useNamed()
  const { resource, loading } = useResource(kind?.plural ?? 'teams', team, name)
  if (!kind || (loading && !resource)) return <PageSkeleton />
  if (!resource) return <EmptyState title={`There is no ${kind.kind} "${name}"`} text="It may have been deleted meanwhile." />
  return <Edit key={resource.metadata.uid} kind={kind} current={resource} />
}

function Edit({ kind, current }: { kind: KnownKind; current: Resource }) {
  const go = useGo()
  const { name, namespace } = current.metadata
  // What the draft began with; somebody else's changes come in only when the person says so.
  const [base, setBase] = useState(current)
  const [kept, setKept] = useState<string[]>([])
  const draft = useDraft(manifestOf(base))
  const there = genericHref(kind.plural, namespace, name)
  // Status is written all the time and takes nothing from the draft; only a change of the manifest is one of somebody else.
  const overtaken = current.metadata.generation !== base.metadata.generation
  const bringIn = (): void => {
    const { value, conflicts } = mergeThree(manifestOf(base), draft.manifest, manifestOf(current))
    draft.setManifest(value as Manifest)
    setKept(conflicts)
    setBase(current)
  }
  return (
    <>
      <PageHeader title={`Edit ${name}`} crumbs={[{ label: 'Resources', to: '/kinds' }, { label: kind.kind, to: `/kinds/${kind.plural}` }, { label: name, to: there }]} />
      <ResourceEditor
        kind={kind}
        draft={draft}
        resourceVersion={overtaken ? base.metadata.resourceVersion : current.metadata.resourceVersion}
        action="Save"
        saved={() => go(there)}
        cancel={() => go(there)}
        conflict={overtaken ? <Overtaken kind={kind.kind} name={name} bringIn={bringIn} /> : undefined}
      />
      {kept.length > 0 && (
        <Alert color="yellow" mt="md" title="Both of you changed the same">
          <Text size="sm">Yours is kept in {kept.join(', ')}. Look it over before you save.</Text>
        </Alert>
      )}
    </>
  )
}

function Overtaken({ kind, name, bringIn }: { kind: string; name: string; bringIn: () => void }) {
  return (
    <Alert color="yellow" title={`Somebody changed the ${kind} ${name} meanwhile`} role="alert">
      <Text size="sm">Saving now would be refused, so that their change is not lost. Bring it in, look it over, then save.</Text>
      <Group mt="xs">
        <Button size="compact-sm" variant="default" onClick={bringIn}>
          Bring their change in
        </Button>
      </Group>
    </Alert>
  )
}
