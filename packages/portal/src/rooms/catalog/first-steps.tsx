/** The first steps on the platform. Each ticks itself off from what is really there; when all are done the list goes. */
import type { Resource, TeamSpec } from '@pavior/contract'
import { ActionIcon, Group, Text, Tooltip } from '@mantine/core'
import { IconCircle, IconCircleCheckFilled, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { get } from '../../frame/api.ts'
import { useCollection } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useTeam } from '../../frame/team.ts'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Section } from '../../pieces/section.tsx'
import { urlOf, type App } from '../../frame/app-health.ts'
import type { Deployment } from '../../frame/apps.ts'
import classes from './first-steps.module.css'

const hiddenKey = 'pavior.first-steps-hidden'

interface StepView {
  title: string
  done: boolean
  how: ReactNode
}

interface TokenView {
  username?: string
  session: boolean
  lastUsed?: string
}

export function FirstSteps({ apps, deployments, loading }: { apps: App[]; deployments: Deployment[]; loading: boolean }) {
  const [hidden, setHidden] = useState(() => localStorage.getItem(hiddenKey) === 'yes')
  const steps = useSteps(apps, deployments)
  if (loading || hidden || steps === undefined || steps.every(({ done }) => done)) return null
  const hide = (): void => {
    localStorage.setItem(hiddenKey, 'yes')
    setHidden(true)
  }
  const next = steps.find(({ done }) => !done)
  const close = (
    <Tooltip label="Hide these steps">
      <ActionIcon variant="subtle" color="gray" aria-label="Hide these steps" onClick={hide}>
        <IconX size={14} />
      </ActionIcon>
    </Tooltip>
  )
  return (
    <Section title={`First steps: ${steps.filter(({ done }) => done).length} of ${steps.length}`} actions={close}>
      <ol className={classes.steps} aria-label="First steps">
        {steps.map((step) => (
          <li key={step.title} className={classes.step} data-done={step.done}>
            <Group gap="xs" wrap="nowrap">
              {step.done ? <IconCircleCheckFilled size={18} className={classes.done} aria-label="Done" /> : <IconCircle size={18} aria-label="To do" />}
              <Text size="sm" fw={step === next ? 600 : undefined}>
                {step.title}
              </Text>
            </Group>
            {step === next && <div className={classes.how}>{step.how}</div>}
          </li>
        ))}
      </ol>
    </Section>
  )
}

function useSteps(apps: App[], deployments: Deployment[]): StepView[] | undefined {
  const session = useSession()
  const chosen = useTeam()
  const { data: tokens } = useQuery({ queryKey: ['tokens'], queryFn: ({ signal }) => get<{ items: TokenView[] }>('/v1/tokens', signal) })
  const { items: teams } = useCollection<Resource<TeamSpec>>('teams')
  if (!tokens) return undefined
  const own = teams.filter(({ metadata }) => metadata.name in session.roles || session.admin)
  const team = chosen ?? own[0]?.metadata.name ?? 'default'
  const url = apps.map((app) => urlOf(app)).find(Boolean)
  const served = deployments.filter(({ status }) => status?.phase === 'Succeeded')
  return [
    { title: 'Sign in', done: true, how: null },
    { title: 'Connect the command line', done: tokens.items.some(({ username, session: browser, lastUsed }) => username === session.user && !browser && lastUsed !== undefined), how: <GoLink to="/tokens" size="sm">Make a token and sign in with it: pavior login {location.origin} --token …</GoLink> },
    { title: 'Deploy an app', done: served.length > 0, how: <CopyCommand command="cd your-app && pavior deploy" /> },
    { title: 'Change it and deploy again', done: served.some(({ spec }) => spec.release > 1), how: <CopyCommand command="pavior deploy" /> },
    { title: 'Set a variable', done: apps.some(({ spec }) => Object.values(spec.config ?? {}).some((values) => Object.keys(values).length > 0)), how: <CopyCommand command={`pavior config set LOG_LEVEL=debug${url ? ` --app ${apps[0]!.metadata.name}` : ''}`} /> },
    {
      title: 'Bring a second person in',
      done: own.some(({ spec }) => (spec.members ?? []).length > 1),
      how: mayAs(session, 'admin', team) ? <GoLink to={`/teams/${team}`} size="sm">Invite somebody to team {team}</GoLink> : <Text size="sm" c="dimmed">An administrator of team {team} can invite people.</Text>,
    },
  ]
}
