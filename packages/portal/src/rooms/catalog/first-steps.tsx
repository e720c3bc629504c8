/** The first steps on the platform. Each ticks itself off from what the person really did; when all are done the list goes. */
import { ActionIcon, Group, Text, Tooltip } from '@mantine/core'
import { IconCircle, IconCircleCheckFilled, IconX } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { get } from '../../frame/api.ts'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Section } from '../../pieces/section.tsx'
import type { App } from '../../frame/app-health.ts'
import type { Deployment } from '../../frame/apps.ts'
import classes from './first-steps.module.css'

const hiddenKey = 'pavior.first-steps-hidden'

/** As the server noted it from what really happened. */
interface Onboarding {
  persona: 'developer' | 'team-lead' | 'platform-engineer'
  steps: { milestone: string; title: string; how: string; doneAt?: string }[]
}

export function FirstSteps({ apps, deployments, loading }: { apps: App[]; deployments: Deployment[]; loading: boolean }) {
  const [hidden, setHidden] = useState(() => localStorage.getItem(hiddenKey) === 'yes')
  const steps = useSteps(apps, deployments)
  if (loading || hidden || steps === undefined || steps.every(({ doneAt }) => doneAt)) return null
  const hide = (): void => {
    localStorage.setItem(hiddenKey, 'yes')
    setHidden(true)
  }
  const next = steps.find(({ doneAt }) => !doneAt)
  const close = (
    <Tooltip label="Hide these steps">
      <ActionIcon variant="subtle" color="gray" aria-label="Hide these steps" onClick={hide}>
        <IconX size={14} />
      </ActionIcon>
    </Tooltip>
  )
  return (
    <Section title={`First steps: ${steps.filter(({ doneAt }) => doneAt).length} of ${steps.length}`} actions={close}>
      <ol className={classes.steps} aria-label="First steps">
        {steps.map((step) => (
          <li key={step.milestone} className={classes.step} data-done={step.doneAt !== undefined}>
            <Group gap="xs" wrap="nowrap">
              {step.doneAt ? <IconCircleCheckFilled size={18} className={classes.done} aria-label="Done" /> : <IconCircle size={18} aria-label="To do" />}
              <Text size="sm" fw={step === next ? 600 : undefined}>
                {step.title}
              </Text>
            </Group>
            {step === next && <div className={classes.how}>
                <How how={step.how} />
              </div>}
          </li>
        ))}
      </ol>
    </Section>
  )
}

/** Asked again when something happened that may have ticked off a step. */
function useSteps(apps: App[], deployments: Deployment[]): Onboarding['steps'] | undefined {
  const succeeded = deployments.filter(({ status }) => status?.phase === 'Succeeded').length
  const changes = apps.reduce((sum, { metadata }) => sum + metadata.generation, 0)
  return useQuery({ queryKey: ['onboarding', succeeded, changes], queryFn: ({ signal }) => get<Onboarding>('/v1/onboarding', signal), placeholderData: keepPreviousData }).data?.steps
}

/** A page of the portal, or a command to copy. */
function How({ how }: { how: string }) {
  if (how.startsWith('/')) return <GoLink to={how} size="sm">Go there</GoLink>
  const command = how.replace('<url>', `${location.origin} --token …`)
  return (
    <>
      <CopyCommand command={command} />
      {how.startsWith('pavior login') && <GoLink to="/tokens" size="sm">Make a token</GoLink>}
    </>
  )
}
