import { StatusPageSpec, StatusPageStatus, type Cause } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'

export const statusPage = defineKind<StatusPageSpec, StatusPageStatus>({
  kind: 'StatusPage',
  plural: 'statuspages',
  scope: 'Namespaced',
  description: 'A page that tells users how things are: names of components and published updates, nothing else. At /status/<team>.',
  spec: StatusPageSpec,
  status: StatusPageStatus,
  maxNameLength: 63,
  access: { admin: ['create', 'update', 'patch', 'delete'] },
  validate: ({ spec }) => causesOf(spec),
  columns: [
    { name: 'Title', type: 'string', description: 'Heading of the page.', value: ({ spec }) => spec.title },
    { name: 'Public', type: 'boolean', description: 'Whether anybody may read it.', value: ({ spec }) => spec.public ?? false },
    { name: 'Components', type: 'integer', description: 'What it tells of.', value: ({ spec }) => spec.components.length },
  ],
})

function causesOf({ components, subscriptions, public: isPublic = false }: StatusPageSpec): Cause[] {
  const subscribed = subscriptions !== undefined && !isPublic ? [{ field: 'spec.subscriptions', message: 'Only a public page can be subscribed to.' }] : []
  return [...subscribed, ...components.flatMap(({ name, app, slo }, index) => [
    ...((app === undefined) === (slo === undefined) ? [{ field: `spec.components[${index}]`, message: 'Give app or slo, one of them.' }] : []),
    ...(components.findIndex((one) => one.name === name) === index ? [] : [{ field: `spec.components[${index}].name`, message: `There is a component "${name}" already.` }]),
  ])]
}
