import { Anchor, Button, Group, NativeSelect, Stack, Stepper, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import type { Cause } from '@pavior/contract'
import { useState, type FormEvent } from 'react'
import { ApiError } from '../../frame/api.ts'
import { useGo } from '../../frame/navigation.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam, useTeams } from '../../frame/team.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState, ProblemState } from '../../pieces/error-state.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { checkValues } from '../../pieces/schema-check.ts'
import { SchemaForm } from '../../pieces/schema-form.tsx'
import { Files } from './files.tsx'
import { fields } from './fields/index.ts'
import { goOnAsking, pagesOf, startAsking, type FormPage } from './pages.ts'
import { begin, preview, templateQuery, type TemplateDetails } from './queries.ts'

export default function TemplateFormPage() {
  const { team = '', template: name = '' }: { team?: string; template?: string } = useParams({ strict: false })
  const { data: template, error, isPending } = useQuery(templateQuery(team, name))
  const session = useSession()
  const chosen = useTeam()
  const { teams, loading } = useTeams()
  const own = teams.filter((one) => mayAs(session, 'developer', one))
  if (error) return <ErrorState error={error} />
  if (isPending || loading) return <PageSkeleton />
  const first = chosen !== undefined && own.includes(chosen) ? chosen : own[0]
  if (first === undefined) {
    return (
      <>
        <Head template={template} />
        <EmptyState title="You may not create apps in any team yet" text="An administrator of a team can give you the role developer." />
      </>
    )
  }
  return <TemplateForm key={`${team}/${name}`} template={template} teams={own} first={first} />
}

function TemplateForm({ template, teams, first }: { template: TemplateDetails; teams: string[]; first: string }) {
  const pages = pagesOf(template)
  const go = useGo()
  const [team, setTeam] = useState(first)
  const [step, setStep] = useState(0)
  const [asking, setAsking] = useState(() => startAsking(pages, first))
  const { answers, due } = asking
  const setAnswers = (next: Record<string, unknown>): void => setAsking(goOnAsking(pages, asking, next))
  const [causes, setCauses] = useState<Cause[]>([])
  const wanted = { team, template, answers }
  const refused = (error: Error): void => {
    const found = error instanceof ApiError ? (error.details.causes ?? []) : []
    const wrong = due.findIndex((schema) => found.some(({ field }) => Object.hasOwn(schema.properties ?? {}, field.split(/[.[]/)[0]!)))
    // Where the field is that was refused.
    if (wrong >= 0) setStep(wrong)
    setCauses(found)
  }
  const look = useMutation({ mutationFn: () => preview(wanted), onError: refused })
  const start = useMutation({ mutationFn: () => begin(wanted), onSuccess: ({ metadata }) => go(`/runs/${team}/${metadata.name}`), onError: refused })
  const forward = (event: FormEvent): void => {
    event.preventDefault()
    const page = pages[step]
    if (!page) return start.mutate()
    const plain = checkValues(due[step]!, answers)
    // What is due says it best; what else the conditions ask for is seen in the whole.
    const found = plain.length > 0 ? plain : checkValues(page.schema, answers)
    setCauses(found)
    if (found.length > 0) return
    setStep(step + 1)
    if (step + 1 === pages.length) look.mutate()
  }
  return (
    <>
      <Head template={template} />
      {template.deprecated && <ProblemState problem={{ message: `This template is deprecated${template.deprecated.deadline ? ` until ${template.deprecated.deadline}` : ''}: ${template.deprecated.message}` }} />}
      <form onSubmit={forward} noValidate aria-label={`Answers for ${template.title}`}>
        <Stack gap="lg" maw={880} mt="md">
          <Stepper active={step} onStepClick={(index) => index < step && setStep(index)} size="sm" allowNextStepsSelect={false}>
            {pages.map(({ title }) => (
              <Stepper.Step key={title} label={title} />
            ))}
            <Stepper.Step label="Look and create" />
          </Stepper>
          {(look.error ?? start.error) && <ErrorState error={(start.error ?? look.error)!} />}
          {pages[step] ? <Questions page={pages[step]} answers={answers} setAnswers={setAnswers} causes={causes} first={step === 0} team={team} teams={teams} setTeam={setTeam} /> : <Files preview={look.data} loading={look.isPending} />}
          <Group>
            {step > 0 && (
              <Button variant="default" onClick={() => setStep(step - 1)}>
                Back
              </Button>
            )}
            <Button type="submit" loading={start.isPending} disabled={!pages[step] && !look.data}>
              {pages[step] ? 'Next' : `Create ${look.data?.app ?? ''}`}
            </Button>
          </Group>
        </Stack>
      </form>
    </>
  )
}

function Head({ template: { team, name, title, version, description } }: { template: TemplateDetails }) {
  return (
    <PageHeader
      title={title}
      crumbs={[{ label: 'Create', to: '/create' }]}
      beside={
        <Text size="sm" c="dimmed">
          {version}
        </Text>
      }
      text={
        <>
          {description}{' '}
          <Anchor size="sm" underline="always" renderRoot={(props) => <Link to={`/templates/${team}/${name}`} {...props} />}>
            About this template
          </Anchor>
        </>
      }
    />
  )
}

interface QuestionsProps {
  page: FormPage
  answers: Record<string, unknown>
  setAnswers: (answers: Record<string, unknown>) => void
  causes: Cause[]
  first: boolean
  team: string
  teams: string[]
  setTeam: (team: string) => void
}

function Questions({ page, answers, setAnswers, causes, first, team, teams, setTeam }: QuestionsProps) {
  return (
    <Stack gap="md" maw={560}>
      {page.description && (
        <Text size="sm" c="dimmed">
          {page.description}
        </Text>
      )}
      {first && teams.length > 1 && <NativeSelect label="Team" description="It owns the app." data={teams} value={team} onChange={({ currentTarget }) => setTeam(currentTarget.value)} />}
      <SchemaForm schema={page.schema} value={answers} onChange={setAnswers} causes={causes} fields={fields} />
    </Stack>
  )
}
