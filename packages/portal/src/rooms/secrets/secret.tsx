/** One secret: is it fine, how far is the newest version, who had to do with it. Its value is not here. */
import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useState, type FormEvent } from 'react'
import { post, remove, resourcePath } from '../../frame/api.ts'
import { useResource } from '../../frame/collections.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState, ProblemState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { PageHeader } from '../../pieces/page-header.tsx'
import { PageSkeleton } from '../../pieces/page-skeleton.tsx'
import { Stats } from '../../pieces/stats.tsx'
import { useAct } from '../../pieces/use-act.ts'
import { Accesses } from './accesses.tsx'
import { currentSince, secretApi, whereText, type Secret } from './reads.ts'
import { RotationProgress } from './rotation.tsx'
import { StateOf } from './secrets-table.tsx'
import { ValueField } from './value-field.tsx'
import { Versions } from './versions.tsx'

const crumbs = [{ label: 'Secrets', to: '/secrets' }]

export default function SecretPage() {
  const { team = '', secret: name = '' } = useParams({ strict: false })
  const { resource: secret, loading } = useResource<Secret>('secrets', team, name)
  const may = mayAs(useSession(), 'developer', team)
  if (loading) return <PageSkeleton />
  if (!secret) {
    return (
      <>
        <PageHeader title={name} crumbs={crumbs} />
        <EmptyState title={`Team ${team} has no secret ${name}.`} commands={['pavior secrets list']} />
      </>
    )
  }
  const { spec, status } = secret
  return (
    <>
      <PageHeader
        title={spec.key}
        crumbs={crumbs}
        beside={<StateOf secret={secret} />}
        text={spec.description ?? `${name} of team ${team}.`}
        actions={
          <>
            <GoLink to={`/kinds/secrets/${team}/${name}`} size="sm">All settings and history</GoLink>
            {may && <RemoveButton secret={secret} />}
            {may && !spec.external && <NewVersion secret={secret} />}
          </>
        }
      />
      {status?.problem && <ProblemState problem={status.problem} />}
      {spec.external && <Alert mb="md" title={`Versions come from the store ${spec.external.store}`}>{`Field ${spec.external.field} at ${spec.external.path}. A new version there is noticed and brought out by itself.`}</Alert>}
      <Stats
        stats={[
          { label: 'In force', value: status?.version === undefined ? 'none' : `v${status.version}`, hint: <Ago at={currentSince(secret)} /> },
          { label: 'App', value: spec.app ?? 'every app', hint: whereText(spec) },
          { label: 'Given as', value: spec.as === 'file' ? 'file' : 'variable', hint: spec.as === 'file' ? `path in ${spec.key}_FILE` : spec.key },
          { label: 'Expires', value: spec.expiresAt === undefined ? 'never' : <Ago at={spec.expiresAt} />, hint: spec.rotateEveryDays === undefined ? undefined : `due every ${spec.rotateEveryDays} days` },
          { label: 'Last given out', value: <Ago at={status?.lastReadAt} /> },
        ]}
      />
      {status?.rotation && <RotationProgress team={team} rotation={status.rotation} />}
      <Versions secret={secret} may={may} />
      <Accesses secret={secret} />
    </>
  )
}

function NewVersion({ secret }: { secret: Secret }) {
  const [opened, setOpened] = useState(false)
  return (
    <>
      <Button size="xs" onClick={() => setOpened(true)}>
        Set a new version
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={`A new version of ${secret.spec.key}`} closeButtonProps={{ 'aria-label': 'Close' }}>
        <NewVersionForm secret={secret} close={() => setOpened(false)} />
      </Modal>
    </>
  )
}

function NewVersionForm({ secret, close }: { secret: Secret; close: () => void }) {
  const [value, setValue] = useState('')
  const { busy, error, act } = useAct()
  const send = (store: boolean): void =>
    act(async () => {
      await post(secretApi(secret, 'versions'), { value, ...(store ? { store: true } : {}) })
      setValue('')
      close()
    })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    send(false)
  }
  return (
    <form onSubmit={submit} autoComplete="off">
      <Stack>
        <Text size="sm">One instance of each app gets it first. When it does not answer well, the version before is put in force again.</Text>
        <ValueField value={value} change={setValue} />
        {error && <ErrorState error={error} />}
        <Group justify="flex-end">
          <Button variant="default" loading={busy} disabled={value === ''} onClick={() => send(true)}>
            Only store it
          </Button>
          <Button type="submit" loading={busy}>
            Set and bring it out
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

function RemoveButton({ secret: { metadata, spec } }: { secret: Secret }) {
  const [opened, setOpened] = useState(false)
  const navigate = useNavigate()
  return (
    <>
      <Button size="xs" variant="default" onClick={() => setOpened(true)}>
        Remove
      </Button>
      <Confirm
        opened={opened}
        close={() => setOpened(false)}
        title={`Remove the secret ${spec.key}?`}
        losses={['Every version of it; the values cannot be brought back.', `Apps get a release without ${spec.key}.`]}
        action="Remove"
        name={metadata.name}
        confirm={async () => {
          await remove(resourcePath('secrets', metadata.namespace, metadata.name))
          await navigate({ to: '/secrets' })
        }}
      />
    </>
  )
}
