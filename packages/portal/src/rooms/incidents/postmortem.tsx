/** A postmortem as it is read and written: Markdown with its preview, actions as a table. */
import type { PostmortemSpec } from '@pavior/contract'
import { Button, Group, SegmentedControl, SimpleGrid, Text, Textarea } from '@mantine/core'
import { useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { patch, resourcePath } from '../../frame/api.ts'
import { useResource } from '../../frame/collections.ts'
import { saveFields } from '../../frame/save.ts'
import { useSearchParam } from '../../frame/search-params.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useShortcuts } from '../../frame/shortcuts.ts'
import { Ago } from '../../pieces/ago.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Markdown } from '../../pieces/markdown.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { ActionTable } from './action-table.tsx'
import { postmortemState } from './postmortems.tsx'
import type { Postmortem } from './reads.ts'

const crumbs = [{ label: 'Incidents', to: '/incidents' }, { label: 'Postmortems', to: '/postmortems' }]

type Part = 'summary' | 'impact' | 'timeline' | 'factors' | 'wentWell' | 'wentBadly'
const parts: [Part, string][] = [['summary', 'Summary'], ['impact', 'Impact'], ['timeline', 'Timeline'], ['factors', 'Contributing factors'], ['wentWell', 'What went well'], ['wentBadly', 'What did not']]
const nextStates = { Draft: 'Review', Review: 'Published', Published: 'Review' } as const
const nextWords = { Draft: 'Ask for a review', Review: 'Publish', Published: 'Take back to review' }

export default function PostmortemPage() {
  const { team = '', name = '' } = useParams({ strict: false })
  const { resource: postmortem, loading } = useResource<Postmortem>('postmortems', team, name)
  if (loading) return <PageSkeleton />
  if (!postmortem) {
    return (
      <>
        <PageHeader title={`Postmortem of ${name}`} crumbs={crumbs} />
        <EmptyState title={`There is no postmortem ${name} in team ${team}.`} text="One is drafted when an incident closes that asks for it. All there are:" commands={[`pavior postmortem list --team ${team}`]} />
      </>
    )
  }
  return <Document key={postmortem.metadata.uid} postmortem={postmortem} />
}

function Document({ postmortem }: { postmortem: Postmortem }) {
  const { metadata, spec, status } = postmortem
  const session = useSession()
  const [mode, setMode] = useSearchParam('mode')
  const may = mayAs(session, 'developer', metadata.namespace!)
  const writing = may && mode === 'write'
  const team = metadata.namespace!
  useShortcuts(may ? [{ keys: 'e', label: writing ? 'Read it' : 'Write it', group: 'Postmortem', run: () => setMode(writing ? undefined : 'write') }] : [])
  return (
    <>
      <PageHeader
        title={spec.title}
        crumbs={crumbs}
        beside={<Status {...postmortemState(postmortem)} />}
        text={
          <>
            Of{' '}
            <GoLink size="sm" underline="always" to={`/incidents/${encodeURIComponent(team)}/${encodeURIComponent(spec.incident)}`}>
              {spec.incident}
            </GoLink>
            {status?.severity && `, ${status.severity}`}. {spec.state === 'Published' ? <>Published <Ago at={status?.publishedAt} />.</> : status?.dueAt && <>Due <Ago at={status.dueAt} />.</>}
          </>
        }
        actions={may && <Acts postmortem={postmortem} writing={writing} setWriting={(on) => setMode(on ? 'write' : undefined)} />}
      />
      {writing ? <Editor postmortem={postmortem} done={() => setMode(undefined)} /> : <Reading spec={spec} />}
      <ActionTable postmortem={postmortem} may={may} />
    </>
  )
}

function Acts({ postmortem: { metadata, spec }, writing, setWriting }: { postmortem: Postmortem; writing: boolean; setWriting: (on: boolean) => void }) {
  const { busy, error, act } = useAct()
  const state = spec.state ?? 'Draft'
  const move = (): void => act(() => patch(resourcePath('postmortems', metadata.namespace, metadata.name), { spec: { state: nextStates[state] } }))
  return (
    <>
      <Group gap="xs">
        <SegmentedControl size="xs" aria-label="Read or write" value={writing ? 'write' : 'read'} onChange={(value) => setWriting(value === 'write')} data={[{ value: 'read', label: 'Read' }, { value: 'write', label: 'Write' }]} />
        <Button size="xs" variant={state === 'Published' ? 'default' : 'filled'} loading={busy} disabled={writing} onClick={move}>
          {nextWords[state]}
        </Button>
      </Group>
      {error && <ErrorState error={error} />}
    </>
  )
}

function Reading({ spec }: { spec: PostmortemSpec }) {
  return parts.map(([part, title]) => (
    <Section key={part} title={title}>
      {(spec[part] ?? '').trim() === '' ? <Text size="sm" c="dimmed">Nothing was written here yet.</Text> : <Markdown text={spec[part]!} />}
    </Section>
  ))
}

/** What somebody else saves meanwhile is refused to be overrun, with what to do. */
function Editor({ postmortem, done }: { postmortem: Postmortem; done: () => void }) {
  const [begun] = useState(postmortem)
  const [texts, setTexts] = useState<Partial<Record<Part, string>>>({})
  const { busy, error, act } = useAct()
  const save = (): void => {
    if (busy) return
    act(() => saveFields<PostmortemSpec>('postmortems', begun, texts).then(done))
  }
  useShortcuts([{ keys: 'mod+s', label: 'Save it', group: 'Postmortem', run: save }])
  return (
    <>
      {parts.map(([part, title]) => (
        <Section key={part} title={title}>
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <Textarea aria-label={title} autosize minRows={4} maxRows={24} maxLength={50_000} value={texts[part] ?? begun.spec[part] ?? ''} onChange={({ currentTarget }) => setTexts({ ...texts, [part]: currentTarget.value })} />
            <div aria-label={`Preview of ${title}`} role="region">
              <Markdown text={texts[part] ?? begun.spec[part] ?? ''} />
            </div>
          </SimpleGrid>
        </Section>
      ))}
      {error && <ErrorState error={error} />}
      <Group gap="xs" mt="sm">
        <Button size="xs" loading={busy} onClick={save}>
          Save
        </Button>
        <Button size="xs" variant="default" onClick={done}>
          Leave it as it was
        </Button>
      </Group>
    </>
  )
}
