/** What a deployment waits for: why, until when, and what somebody can do about it; and who has agreed so far. */
import type { EnvironmentSpec, Gate, Resource } from '@pavior/contract'
import { Button, Group, Text } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { patch, post, resourcePath } from '../../frame/api.ts'
import { mayApprove } from '../../frame/approvals.ts'
import type { Deployment } from '../../frame/apps.ts'
import { useResource } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { useShortcuts } from '../../frame/shortcuts.ts'
import { Ago } from '../../pieces/ago.tsx'
import { CopyCommand } from '../../pieces/copy-button.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { Keys } from '../../pieces/keys.tsx'
import { Section } from '../../pieces/section.tsx'
import { Status } from '../../pieces/status.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { OverrideDialog } from './override.tsx'
import classes from './waiting.module.css'

const names: Record<Gate['gate'], string> = { approval: 'Approval', freeze: 'Freeze', soak: 'Soak time', schedule: 'Schedule', budget: 'Error budget' }

export function WaitingFor({ deployment }: { deployment: Deployment }) {
  const { metadata, spec, status } = deployment
  const session = useSession()
  const [overriding, setOverriding] = useState(false)
  const team = metadata.namespace!
  const gates = status?.phase === 'Waiting' ? (status.waitingFor ?? []) : []
  const approvals = status?.approvals ?? []
  const notes = (status?.notes ?? []).map((note) => (
    <Text key={note} size="sm" c="dimmed">
      {note}
    </Text>
  ))
  if (gates.length === 0 && approvals.length === 0) return notes.length > 0 ? <>{notes}</> : null
  const path = resourcePath('deployments', team, metadata.name)
  const mayOverride = mayAs(session, 'admin', team) && (
    <Button size="compact-sm" variant="default" onClick={() => setOverriding(true)}>
      Override
    </Button>
  )
  const acts: Record<Gate['gate'], ReactNode> = {
    approval: <Approve deployment={deployment} />,
    freeze: (
      <>
        <GoLink size="sm" to="/freezes" search={{ team }}>
          Freezes
        </GoLink>
        {mayOverride}
      </>
    ),
    budget: (
      <>
        <GoLink size="sm" to="/slos" search={{ team }}>
          Objectives
        </GoLink>
        {mayOverride}
      </>
    ),
    soak: mayOverride,
    schedule: mayAs(session, 'developer', team) && <Begin path={path} />,
  }
  return (
    <Section title={gates.length > 0 ? 'What it waits for' : 'Approvals'}>
      {gates.length > 0 && (
        <ul className={classes.gates} aria-label="What it waits for">
          {gates.map((gate) => (
            <li key={gate.text} className={classes.gate}>
              <Status word={names[gate.gate]} tone="busy" />
              <span className={classes.why}>
                {gate.text}{' '}
                {gate.until && (
                  <Text span size="sm" c="dimmed">
                    It opens <Ago at={gate.until} />.
                  </Text>
                )}
              </span>
              <Group gap="xs" className={classes.acts}>
                {acts[gate.gate]}
              </Group>
            </li>
          ))}
        </ul>
      )}
      {notes}
      {approvals.map(({ by, at }) => (
        <Text key={by} size="sm" mt={6}>
          <Status word="Approved" tone="good" /> by <b>{by.replace(/^user:/, '')}</b> <Ago at={at} />
        </Text>
      ))}
      <OverrideDialog opened={overriding} close={() => setOverriding(false)} override={(reason) => patch(path, { spec: { override: { reason } } })} environment={spec.environment} />
    </Section>
  )
}

function Approve({ deployment }: { deployment: Deployment }) {
  const { metadata, spec } = deployment
  const session = useSession()
  const { resource: environment } = useResource<Resource<EnvironmentSpec>>('environments', metadata.namespace, spec.environment)
  const { busy, error, act } = useAct()
  const may = mayApprove(session, deployment, environment)
  const approve = (): void => act(() => post(`/v1/teams/${encodeURIComponent(metadata.namespace!)}/deployments/${encodeURIComponent(metadata.name)}/approve`))
  useShortcuts(may ? [{ keys: 'y', label: 'Approve', group: 'Deployment', run: approve }] : [])
  if (!may) return <CopyCommand command={`pavior approve ${metadata.name} --team ${metadata.namespace}`} />
  return (
    <>
      <Button size="compact-sm" loading={busy} onClick={approve} aria-keyshortcuts="y" rightSection={<Keys keys="y" hint />}>
        Approve
      </Button>
      {error && <ErrorState error={error} />}
    </>
  )
}

function Begin({ path }: { path: string }) {
  const { busy, error, act } = useAct()
  return (
    <>
      <Button size="compact-sm" variant="default" loading={busy} onClick={() => act(() => patch(path, { spec: { notBefore: null } }))}>
        Begin now
      </Button>
      {error && <ErrorState error={error} />}
    </>
  )
}
