/** What the gallery shows in its pieces; recognisable as examples. */
import type { ApiSchema } from '@pavior/contract'
import type { FormSchema } from '../../pieces/schema-plan.ts'

export interface ExampleRow {
  name: string
  phase: string
  requests: number | undefined
}

export const exampleRows: ExampleRow[] = [
  { name: 'checkout', phase: 'Ready', requests: 412 },
  { name: 'catalogue', phase: 'Starting', requests: 38.5 },
  { name: 'mailer', phase: 'Failed', requests: undefined },
]

export const exampleSchema: FormSchema = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', title: 'Name', description: 'Part of the address.', pattern: '^[a-z-]+$' },
    language: { type: 'string', enum: ['TypeScript', 'Go', 'Python'], 'ui:widget': 'radio' },
    replicas: { type: 'integer', minimum: 0, maximum: 100, default: 1, description: 'Instances to run.' },
    public: { type: 'boolean', title: 'Reachable from outside', 'ui:help': 'Can be changed later.' },
    members: { type: 'array', description: 'Who works on it.', items: { type: 'object', required: ['user'], properties: { user: { type: 'string' }, role: { enum: ['admin', 'developer', 'viewer'] } } } },
    labels: { type: 'object', description: 'Words to select by.', additionalProperties: { type: 'string' } },
    health: { type: 'object', description: 'How the platform knows that it serves.', properties: { path: { type: 'string' } } },
  },
}

export const exampleSchemas: { name: string; schema: ApiSchema }[] = [
  {
    name: 'Order',
    schema: {
      type: 'object',
      description: 'What somebody wants, and where it stands.',
      properties: [
        { name: 'id', required: true, schema: { type: 'string (uuid)' } },
        { name: 'state', required: true, schema: { type: 'string', values: ['open', 'paid', 'sent'], notes: ['default open'] } },
        { name: 'lines', required: false, schema: { type: 'array', notes: ['at most 100 items'], items: { type: '', ref: 'Line' } } },
        { name: 'replaces', required: false, schema: { type: '', ref: 'Order', description: 'The order that this one corrects.' } },
      ],
    },
  },
  { name: 'Line', schema: { type: 'object', properties: [{ name: 'article', required: true, schema: { type: 'string' } }, { name: 'count', required: true, schema: { type: 'integer', notes: ['≥ 1'] } }] } },
]

export const exampleYaml = `# An example
kind: App
metadata:
  name: checkout
spec:
  processes:
    web:
      replicas: 3
      command: "node server.js"
`

export const exampleMarkdown = `# Checkout

Takes **orders** and ~~losses~~ payments. See the [runbook](https://example.com/runbook).

| Process | Instances |
|---|---|
| web | 3 |

- [x] health check
- [ ] second region

\`\`\`
pavior deploy
\`\`\`

<script>alert('not run')</script>
`
