/** One runbook: its text, and the form that begins a run. */
import { Button, Checkbox, Group, Text, TextInput } from '@mantine/core'
import type { RunbookParameter } from '@pavior/contract'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { post, resourcePath } from '../../frame/api.ts'
import { useResource } from '../../frame/collections.ts'
import { genericHref } from '../../frame/registry.ts'
import { useSearchParams } from '../../frame/search-params.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Markdown } from '../../pieces/markdown.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { runPath, trustOf, type Run, type Runbook } from './reads.ts'

const crumbs = [{ label: 'Runbooks', to: '/runbooks' }]

export default function RunbookPage() {
  const { team = '', name = '' } = useParams({ strict: false })
  const { resource: book, loading } = useResource<Runbook>('runbooks', team, name)
  if (loading) return <PageSkeleton />
  if (!book) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`There is no runbook ${name} in team ${team}.`} commands={[`pavior runbook list --team ${team}`]} />
      </>
    )
  }
  return (
    <>
      <PageHeader title={book.spec.title} crumbs={crumbs} />
      <Text size="sm" mb="sm">
        <Status {...trustOf(book)} />{' '}
        {book.status?.lastSuccessAt ? (
          <>
            It last succeeded <Ago at={book.status.lastSuccessAt} />.
          </>
        ) : (
          'Nobody has gone through it with success yet.'
        )}{' '}
        {book.status?.lastOutcome && `The last run: ${book.status.lastOutcome}`}
      </Text>
      <Begin book={book} />
      <Section title="Text" actions={<GoLink size="sm" to={genericHref('runbooks', team, name)}>Change it</GoLink>}>
        <Markdown text={book.spec.markdown} />
      </Section>
    </>
  )
}

function Begin({ book: { metadata, spec } }: { book: Runbook }) {
  const session = useSession()
  const team = metadata.namespace!
  // Others link here with what they know: ?app=shop
  const known = useSearchParams()
  const [values, setValues] = useState<Record<string, string>>({})
  const [dryRun, setDryRun] = useState(false)
  const { busy, error, act } = useAct()
  const go = useNavigate()
  const parameters = spec.parameters ?? []
  const valueOf = ({ name, default: usual }: RunbookParameter): string => values[name] ?? known[name] ?? usual ?? ''
  const begin = (event: FormEvent): void => {
    event.preventDefault()
    act(async () => {
      const given = Object.fromEntries(parameters.map((each) => [each.name, valueOf(each)]))
      const run = await post<Run>(resourcePath('runbookruns', team), { metadata: { generateName: `${metadata.name}-` }, spec: { runbook: metadata.name, parameters: given, ...(dryRun ? { dryRun: true } : {}), ...(known.incident ? { incident: known.incident } : {}) } })
      await go({ to: runPath(team, run.metadata.name) })
    })
  }
  if (!mayAs(session, 'developer', team)) return <CopyCommand command={`pavior runbook run ${metadata.name} --team ${team}`} />
  return (
    <Section title="Go through it">
      <form onSubmit={begin}>
        <Group align="end" gap="sm">
          {parameters.map((each) => (
            <TextInput key={each.name} size="sm" label={each.name} description={each.description} required value={valueOf(each)} onChange={({ currentTarget }) => setValues({ ...values, [each.name]: currentTarget.value })} />
          ))}
          <Button type="submit" loading={busy}>
            Begin
          </Button>
          <Checkbox label="Dry run: change nothing" checked={dryRun} onChange={({ currentTarget }) => setDryRun(currentTarget.checked)} mb={8} />
        </Group>
      </form>
      {error && <ErrorState error={error} />}
    </Section>
  )
}
