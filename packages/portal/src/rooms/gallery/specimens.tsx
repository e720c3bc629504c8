/** One entry a piece. A room that adds a piece adds it here. */
import { Button, Group, Stack } from '@mantine/core'
import { IconRocket } from '@tabler/icons-react'
import { useState, type ComponentType } from 'react'
import { Ago } from '../../pieces/ago.tsx'
import { Confirm } from '../../pieces/confirm.tsx'
import { CopyButton, CopyCommand } from '../../pieces/copy-button.tsx'
import { DataTable } from '../../pieces/data-table.tsx'
import { EmptyState } from '../../pieces/empty-state.tsx'
import { ProblemState } from '../../pieces/error-state.tsx'
import { Keys } from '../../pieces/keys.tsx'
import { Markdown } from '../../pieces/markdown.tsx'
import { RowsSkeleton } from '../../pieces/page-skeleton.tsx'
import { SchemaForm } from '../../pieces/schema-form.tsx'
import type { FormSchema } from '../../pieces/schema-plan.ts'
import { NamedSchemas, SchemaView } from '../../pieces/schema-view.tsx'
import { Status, type Tone } from '../../pieces/status.tsx'
import type { Column } from '../../pieces/table-column.ts'
import { showUndo } from '../../pieces/undo.tsx'
import { ValueView } from '../../pieces/value-view.tsx'
import { YamlEditor } from '../../pieces/yaml-editor.tsx'
import { exampleMarkdown, exampleRows, exampleSchema, exampleSchemas, exampleYaml, type ExampleRow } from './examples.ts'

export interface Specimen {
  name: string
  Show: ComponentType<{ scheme: 'light' | 'dark' }>
}

const tones: [string, Tone][] = [['Serves', 'good'], ['Starting', 'busy'], ['Slow', 'warn'], ['Failed', 'bad'], ['Off', 'idle']]
const hourMs = 3600_000

const columns: Column<ExampleRow>[] = [
  { key: 'name', label: 'Name', value: ({ name }) => name },
  { key: 'phase', label: 'Phase', value: ({ phase }) => phase, show: ({ phase }) => <Status word={phase} />, width: '130px' },
  { key: 'requests', label: 'Requests/s', value: ({ requests }) => requests, align: 'right', width: '120px', hideBelow: 'xs' },
]

export const specimens: Specimen[] = [
  {
    name: 'Status',
    Show: () => (
      <Group>
        {tones.map(([word, tone]) => (
          <Status key={word} word={word} tone={tone} />
        ))}
      </Group>
    ),
  },
  {
    name: 'Time since',
    Show: () => (
      <Group>
        {[0, hourMs / 60, hourMs * 5, hourMs * 24 * 40].map((passed) => (
          <Ago key={passed} at={new Date(Date.now() - passed).toISOString()} />
        ))}
        <Ago at={undefined} />
      </Group>
    ),
  },
  {
    name: 'Copying, and keys',
    Show: () => (
      <Group>
        <CopyCommand command="pavior deploy --wait" />
        <CopyButton text="sha256:41b7" label="Copy the digest" />
        <Keys keys="mod+k" />
        <Keys keys="g a" />
      </Group>
    ),
  },
  { name: 'Empty state', Show: () => <EmptyState icon={IconRocket} title="No apps yet" text="Deploy one from its directory; it appears here while it is built." commands={['cd your-app', 'pavior deploy']} /> },
  {
    name: 'Problem',
    Show: () => (
      <ProblemState
        problem={{ code: 'PORT_NOT_BOUND', message: 'checkout-api v24 did not listen on PORT 41207 within 30 s; it listens on 3000 instead.', why: 'server.js:12 calls listen(3000); the platform gives every instance its own port.', fix: 'listen(process.env.PORT)', state: 'v23 keeps serving; nothing was changed for your users.' }}
      />
    ),
  },
  { name: 'Table', Show: ({ scheme }) => <DataTable name={scheme} label="apps" rows={exampleRows} columns={columns} rowKey={({ name }) => name} /> },
  { name: 'Skeleton', Show: () => <RowsSkeleton count={3} /> },
  { name: 'Values', Show: () => <ValueView value={{ replicas: 3, env: { LOG_LEVEL: 'info', API_TOKEN: 'an example' }, healthPath: '/healthz', steps: [{ name: 'build', state: 'done' }, { name: 'switch', state: 'running' }] }} /> },
  {
    name: 'Schema for reading',
    Show: () => (
      <NamedSchemas schemas={exampleSchemas}>
        <SchemaView schema={{ type: '', ref: 'Order' }} />
      </NamedSchemas>
    ),
  },
  { name: 'Form from a schema', Show: Form },
  { name: 'YAML', Show: Yaml },
  { name: 'Markdown', Show: () => <Markdown text={exampleMarkdown} /> },
  { name: 'Confirmation and undo', Show: Questions },
]

function Form() {
  const [value, setValue] = useState<Record<string, unknown>>({ name: 'Checkout', members: [{ user: 'ada', role: 'admin' }], labels: { tier: 'gold' } })
  return <SchemaForm schema={exampleSchema satisfies FormSchema} value={value} onChange={setValue} causes={[{ field: 'name', message: 'Lower-case letters, digits and hyphens.' }]} />
}

function Yaml() {
  const [text, setText] = useState(exampleYaml)
  return <YamlEditor label="An example" value={text} onChange={setText} />
}

function Questions() {
  const [asking, setAsking] = useState(false)
  return (
    <Stack align="flex-start">
      <Button variant="default" onClick={() => setAsking(true)}>
        Delete the example
      </Button>
      <Button variant="default" onClick={() => showUndo({ message: 'web runs with 3 instances.', undo: () => Promise.resolve() })}>
        Scale the example
      </Button>
      <Confirm opened={asking} close={() => setAsking(false)} title="Delete the app checkout?" losses={['12 releases and their logs.', 'The address checkout.localhost stops answering at once.']} action="Delete" name="checkout" confirm={() => Promise.resolve()} />
    </Stack>
  )
}
