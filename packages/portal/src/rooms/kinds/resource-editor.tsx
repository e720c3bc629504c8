/** Form and YAML of one resource side by side; what one changes, the other shows. On narrow screens one at a time. */
import { Button, Group, SegmentedControl, Stack, Text } from '@mantine/core'
import type { Cause, Resource } from '@pavior/contract'
import { useMutation } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { ApiError } from '../../frame/api.ts'
import { useSearchParam } from '../../frame/search-params.ts'
import { useShortcuts } from '../../frame/shortcuts.ts'
import { ErrorState, ProblemState } from '../../pieces/error-state.tsx'
import { Keys } from '../../pieces/keys.tsx'
import { SchemaForm } from '../../pieces/schema-form.tsx'
import { YamlEditor } from '../../pieces/yaml-editor.tsx'
import { save, useJudgement, type Draft } from './use-draft.ts'
import type { KnownKind } from './use-kind.ts'
import classes from './kinds.module.css'

export interface ResourceEditorProps {
  kind: KnownKind
  draft: Draft
  /** Of the state that the change is made to; undefined makes a new resource. */
  resourceVersion: string | undefined
  action: string
  saved: (resource: Resource) => void
  cancel: () => void
  /** Above the spec: name and team of a new resource. */
  head?: (causes: readonly Cause[]) => ReactNode
  /** Below the buttons, when somebody else was quicker. */
  conflict?: ReactNode
}

/** Shown beside the name, where there is a field for it. */
export const nameField = 'metadata.name'

type Side = 'both' | 'form' | 'yaml'

export function ResourceEditor({ kind, draft, resourceVersion, action, saved, cancel, head, conflict }: ResourceEditorProps) {
  const { manifest, setManifest, yaml, setYaml, unreadable } = draft
  const judgement = useJudgement(kind.plural, manifest, resourceVersion)
  const [side = 'both', setSide] = useSearchParam('side')
  const saving = useMutation({ mutationFn: () => save(kind.plural, manifest, { resourceVersion }), onSuccess: saved })
  const submit = (): void => {
    if (!unreadable && !saving.isPending) saving.mutate()
  }
  useShortcuts([{ keys: 'mod+enter', label: action, group: 'Editor', run: submit }])
  const refused = saving.error ?? judgement.error
  const causes = judgement.causes.length > 0 ? judgement.causes : saving.error instanceof ApiError ? (saving.error.details.causes ?? []) : []
  return (
    <Stack>
      <SegmentedControl size="xs" className={classes.sides} aria-label="Show" data={[{ value: 'both', label: 'Both' }, { value: 'form', label: 'Form' }, { value: 'yaml', label: 'YAML' }]} value={side} onChange={(value) => setSide(value as Side)} />
      <div className={classes.editor} data-side={side}>
        <Stack gap="md" className={classes.form}>
          {head?.(causes)}
          <SchemaForm schema={kind.schema.spec} value={manifest.spec} onChange={(spec) => setManifest({ ...manifest, spec })} path="spec" causes={causes.filter(({ field }) => head === undefined || field !== nameField)} disabled={unreadable !== undefined} />
        </Stack>
        <div className={classes.yaml}>
          <YamlEditor label={`${kind.kind} as YAML`} value={yaml} onChange={setYaml} />
          {unreadable && (
            <Text size="sm" c="var(--mantine-color-error)" role="alert" mt={4}>
              {unreadable.field} {unreadable.message}
            </Text>
          )}
        </div>
      </div>
      {conflict ?? (refused && (causes.length > 0 ? <Problems causes={causes} /> : <ErrorState error={refused} />))}
      <Group gap="sm">
        <Button onClick={submit} loading={saving.isPending} disabled={unreadable !== undefined}>
          {action}
        </Button>
        <Button variant="default" onClick={cancel}>
          Cancel
        </Button>
        <Keys keys="mod+enter" />
        <Text size="xs" c="dimmed" role="status">
          {verdict(judgement, unreadable !== undefined, manifest.metadata.name !== '')}
        </Text>
      </Group>
    </Stack>
  )
}

function Problems({ causes }: { causes: { field: string; message: string }[] }) {
  return <ProblemState problem={{ message: causes.length === 1 ? 'One field does not fit.' : `${causes.length} fields do not fit.`, causes }} />
}

function verdict({ causes, error, pending }: { causes: unknown[]; error: Error | undefined; pending: boolean }, unreadable: boolean, named: boolean): string {
  if (unreadable) return 'The YAML cannot be read yet.'
  if (!named) return 'It needs a name.'
  if (pending) return 'The server looks it over.'
  if (causes.length > 0) return causes.length === 1 ? 'One field does not fit.' : `${causes.length} fields do not fit.`
  return error ? 'The server would refuse it.' : 'The server would take it.'
}
