/** Variables of an app in one environment: set, change, unset. Each change makes a release. */
import { ActionIcon, Button, Code, Group, Table, Text, Textarea, TextInput } from '@mantine/core'
import { IconPencil, IconTrash } from '@tabler/icons-react'
import { useMemo, useState, type FormEvent } from 'react'
import { patch, resourcePath } from '../../frame/api.ts'
import { mayAs, useSession } from '../../frame/session.ts'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ErrorState } from '../../pieces/error-state.tsx'
import { GoLink } from '../../pieces/go-link.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { SecretValue } from '../../pieces/secret-value.tsx'
import { Section } from '../../pieces/section.tsx'
import { showUndo } from '../../pieces/undo.tsx'
import { appPath, useApp, useAppPlace, useDeployments, useEnvironment, type AppPlace } from '../../frame/apps.ts'

const nameForm = /^[A-Za-z_][A-Za-z0-9_]*$/
const longestValue = 32_768

/** Null unsets. */
type Change = (name: string, value: string | null) => Promise<void>

export default function Configuration() {
  const place = useAppPlace()
  const session = useSession()
  const { environment } = useEnvironment(place)
  const { resource: app } = useApp(place)
  const [editing, setEditing] = useState<string>()
  const values = useMemo(() => app?.spec.config?.[environment] ?? {}, [app, environment])
  if (!app) return <RowsSkeleton />
  const write = (name: string, value: string | null): Promise<unknown> => patch(resourcePath('apps', place.team, place.app), { spec: { config: { [environment]: { [name]: value } } } })
  const change: Change = async (name, value) => {
    const before = values[name] ?? null
    await write(name, value)
    setEditing(undefined)
    showUndo({ message: `${name} is ${value === null ? 'removed' : 'set'} in ${environment}.`, undo: () => write(name, before) })
  }
  const may = mayAs(session, 'developer', place.team)
  const declared = Object.entries(app.spec.env ?? {})
  return (
    <>
      <Effect place={place} environment={environment} deployed={app.status?.environments?.[environment]?.release !== undefined} />
      <Section title={`Set for ${environment}`}>
        {Object.keys(values).length === 0 && <EmptyState title="Nothing is set." text="Variables that are set here reach every instance of this environment, and win over those of the manifest." commands={[`pavior config set LOG_LEVEL=debug --app ${place.app}`]} />}
        {Object.keys(values).length > 0 && <Values values={values} environment={environment} may={may} edit={setEditing} unset={(name) => void change(name, null)} />}
        {may && <Editor key={editing ?? ''} name={editing} value={editing === undefined ? '' : (values[editing] ?? '')} change={change} cancel={() => setEditing(undefined)} />}
      </Section>
      {declared.length > 0 && (
        <Section title={`Declared in ${app.spec.declaredBy ?? 'the manifest'}`}>
          <Values values={Object.fromEntries(declared)} environment={environment} may={false} overridden={values} />
        </Section>
      )}
    </>
  )
}

/** What comes of a change, live. */
function Effect({ place, environment, deployed }: { place: AppPlace; environment: string; deployed: boolean }) {
  const { items } = useDeployments(place, environment)
  const newest = items[0]
  const running = newest && newest.status?.finishedAt === undefined
  return (
    <Text size="sm" c="dimmed" role="status">
      {!deployed && 'What is set here takes effect with the first deploy.'}
      {deployed && !running && 'A change makes a new release and rolls it out without a gap; it can be rolled back like any other.'}
      {deployed && running && (
        <>
          v{newest.spec.release} is on its way:{' '}
          <GoLink to={appPath(place, 'deployments', newest.metadata.name)}>watch it</GoLink>
        </>
      )}
    </Text>
  )
}

interface ValuesProps {
  values: Record<string, string>
  environment: string
  may: boolean
  edit?: (name: string) => void
  unset?: (name: string) => void
  overridden?: Record<string, string>
}

function Values({ values, may, edit, unset, overridden = {} }: ValuesProps) {
  return (
    <Table aria-label="Variables" verticalSpacing={4} layout="fixed">
      <Table.Tbody>
        {Object.entries(values).toSorted(([one], [other]) => one.localeCompare(other)).map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>
              <Code>{name}</Code>
            </Table.Td>
            <Table.Td>
              <SecretValue name={name} value={value} />
              {name in overridden && (
                <Text size="xs" c="dimmed">
                  The value above wins.
                </Text>
              )}
            </Table.Td>
            <Table.Td w={84}>
              {may && (
                <Group gap={4} justify="flex-end" wrap="nowrap">
                  <ActionIcon variant="subtle" color="gray" aria-label={`Change ${name}`} onClick={() => edit?.(name)}>
                    <IconPencil size={14} />
                  </ActionIcon>
                  <ActionIcon variant="subtle" color="gray" aria-label={`Remove ${name}`} onClick={() => unset?.(name)}>
                    <IconTrash size={14} />
                  </ActionIcon>
                </Group>
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

function Editor({ name: given, value: before, change, cancel }: { name: string | undefined; value: string; change: Change; cancel: () => void }) {
  const [name, setName] = useState(given ?? '')
  const [value, setValue] = useState(before)
  const [error, setError] = useState<Error>()
  const [busy, setBusy] = useState(false)
  const wrong = name !== '' && !nameForm.test(name) ? 'Letters, digits and _, and no digit first.' : undefined
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    change(name, value)
      .then(() => {
        if (given !== undefined) return
        setName('')
        setValue('')
      })
      .catch((caught: Error) => setError(caught))
      .finally(() => setBusy(false))
  }
  return (
    <form onSubmit={submit} aria-label={given === undefined ? 'Set a variable' : `Change ${given}`}>
      <Group gap="xs" align="flex-end" mt="sm">
        <TextInput label="Name" placeholder="LOG_LEVEL" size="xs" required value={name} readOnly={given !== undefined} error={wrong} onChange={({ currentTarget }) => setName(currentTarget.value)} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }} />
        <Textarea label="Value" size="xs" autosize minRows={1} maxRows={8} maxLength={longestValue} data-autofocus={given !== undefined || undefined} value={value} onChange={({ currentTarget }) => setValue(currentTarget.value)} style={{ flex: '1 1 200px' }} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }} />
        <Button type="submit" size="xs" loading={busy} disabled={name === '' || wrong !== undefined}>
          {given === undefined ? 'Set' : 'Save'}
        </Button>
        {given !== undefined && (
          <Button size="xs" variant="default" onClick={cancel}>
            Cancel
          </Button>
        )}
      </Group>
      {error && <ErrorState error={error} />}
    </form>
  )
}
