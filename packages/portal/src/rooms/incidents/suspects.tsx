/** Recent changes that may be behind it, the likeliest first, and the way back from each. */
import type { IncidentSuspect } from '@pavior/contract'
import { Button, Group, Text } from '@mantine/core'
import { useState } from 'react'
import { post } from '../../frame/api.ts'
import { appPath } from '../../frame/apps.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import { isOver, type Incident } from './reads.ts'

const shownAtFirst = 3

function likelihoodOf({ likelihood }: IncidentSuspect): { word: string; tone: Tone } {
  if (likelihood >= 0.75) return { word: 'Likely', tone: 'bad' }
  return likelihood >= 0.45 ? { word: 'Possible', tone: 'warn' } : { word: 'Unlikely', tone: 'idle' }
}

export function Suspects({ incident, suspects }: { incident: Incident; suspects: IncidentSuspect[] }) {
  const [all, setAll] = useState(false)
  const shown = all ? suspects : suspects.slice(0, shownAtFirst)
  return (
    <Section
      title="What changed before it"
      actions={
        suspects.length > shownAtFirst && (
          <Button size="compact-xs" variant="subtle" onClick={() => setAll(!all)}>
            {all ? 'Fewer' : `All ${suspects.length}`}
          </Button>
        )
      }
    >
      {shown.map((suspect) => (
        <Suspect key={`${suspect.kind} ${suspect.name} ${suspect.at}`} incident={incident} suspect={suspect} />
      ))}
    </Section>
  )
}

function Suspect({ incident, suspect }: { incident: Incident; suspect: IncidentSuspect }) {
  const { kind, name, app, text, reasons, at, undo } = suspect
  const [team = '', appName = ''] = (app ?? '').split('/')
  return (
    <div style={{ marginBottom: 14 }}>
      <Group gap="xs" wrap="wrap">
        <Status {...likelihoodOf(suspect)} />
        <Text size="sm" fw={600}>
          {kind === 'Deployment' ? <GoLink size="sm" to={appPath({ team, app: appName }, 'deployments', name)}>{text}</GoLink> : text}
        </Text>
        <Text size="sm" c="dimmed">
          <Ago at={at} />
        </Text>
      </Group>
      <Text size="sm" mt={2}>
        {reasons.join(' ')}
      </Text>
      {undo && (
        <Group gap="xs" mt={4}>
          <RollBack incident={incident} undo={undo} />
          <CopyCommand command={undo.command} />
        </Group>
      )}
    </div>
  )
}

function RollBack({ incident, undo }: { incident: Incident; undo: NonNullable<IncidentSuspect['undo']> }) {
  const session = useSession()
  const [asked, setAsked] = useState(false)
  const team = incident.metadata.namespace!
  const { app, environment, to } = undo
  if (app === undefined || environment === undefined || to === undefined || isOver(incident) || !mayAs(session, 'developer', team)) return null
  return (
    <>
      <Button size="xs" color="red.9" onClick={() => setAsked(true)}>
        Roll back to v{to}
      </Button>
      <Confirm
        opened={asked}
        close={() => setAsked(false)}
        title={`Roll ${app} back to v${to} in ${environment}?`}
        losses={[`v${to} serves again, with its artifact and its configuration.`, 'What came after it stays and can be deployed again.']}
        action="Roll back"
        confirm={() => post(`/v1/teams/${encodeURIComponent(team)}/apps/${encodeURIComponent(app)}/rollback`, { to, environment })}
      />
    </>
  )
}
