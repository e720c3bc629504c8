import { comparesOne, DashboardSpec, DashboardStatus, freeVariables, labelValuesOf, queriesOf, readyDashboards, timeVariables, variablesIn, type Cause, type Panel } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'

export const dashboard = defineKind<DashboardSpec, DashboardStatus>({
  kind: 'Dashboard',
  plural: 'dashboards',
  scope: 'Namespaced',
  description: 'Panels over what is measured, and over what Pavior knows itself.',
  spec: DashboardSpec,
  status: DashboardStatus,
  nameForm: 'label',
  maxNameLength: 63,
  reservedNames: [...readyDashboards],
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  validate: ({ spec }) => [...variableCauses(spec), ...titleCauses(spec), ...spec.panels.flatMap(panelCauses), ...referenceCauses(spec)],
  columns: [
    { name: 'Title', type: 'string', description: 'Heading.', value: ({ spec }) => spec.title },
    { name: 'Panels', type: 'integer', description: 'Panels that it has.', value: ({ spec }) => spec.panels.length },
    { name: 'Description', type: 'string', description: 'What it is for.', priority: 1, value: ({ spec }) => spec.description },
  ],
})

const given = new Set<string>([...freeVariables, ...timeVariables])

function variableCauses({ variables = [] }: DashboardSpec): Cause[] {
  const names = variables.map(({ name }) => name)
  return variables.flatMap(({ name, query, values }, index) => {
    const field = `spec.variables[${index}]`
    return [
      ...(given.has(name) ? [{ field: `${field}.name`, message: `$${name} is there already, without being named.` }] : []),
      ...(names.indexOf(name) === index ? [] : [{ field: `${field}.name`, message: `There is a variable "${name}" already.` }]),
      ...((query === undefined) === (values === undefined) ? [{ field, message: 'Give query or values, one of them.' }] : []),
      ...(query !== undefined && !labelValuesOf(query) ? [{ field: `${field}.query`, message: 'Give label_values(selector, label), for example label_values(up{team="$team"}, instance).' }] : []),
      // One that needs itself, or another that comes after it, could never be filled in.
      ...(query === undefined ? [] : variablesIn(query).filter((used) => names.indexOf(used) >= index).map((used) => ({ field: `${field}.query`, message: `$${used} is not known here yet; variables are filled in in their order.` }))),
    ]
  })
}

function titleCauses({ panels }: DashboardSpec): Cause[] {
  const titles = panels.map(({ title }) => title)
  return titles.flatMap((title, index) => (titles.indexOf(title) === index ? [] : [{ field: `spec.panels[${index}].title`, message: `There is a panel "${title}" already.` }]))
}

function panelCauses({ title, kind, queries, figure, list, text }: Panel, index: number): Cause[] {
  const wrong = (field: string, message: string): Cause => ({ field: `spec.panels[${index}].${field}`, message: `"${title}": ${message}` })
  const wants: Partial<Record<Panel['kind'], keyof Panel>> = { text: 'text', list: 'list' }
  const wanted = wants[kind] ?? (kind === 'stat' && figure !== undefined ? 'figure' : 'queries')
  const parts = { queries, figure, list, text }
  return [
    ...(parts[wanted as keyof typeof parts] === undefined ? [wrong(wanted, `a panel of kind ${kind} needs ${wanted}${kind === 'stat' ? ' or figure' : ''}.`)] : []),
    ...Object.entries(parts).filter(([field, value]) => value !== undefined && field !== wanted).map(([field]) => wrong(field, `a panel of kind ${kind}${kind === 'stat' && wanted === 'figure' ? ' with a figure' : ''} has no ${field}.`)),
  ]
}

/** Names that are not known, and those that can be all where only one can stand. */
function referenceCauses(spec: DashboardSpec): Cause[] {
  const { variables = [] } = spec
  const known = new Set([...given, ...variables.map(({ name }) => name)])
  const everything = variables.filter(({ includeAll }) => includeAll).map(({ name }) => name)
  const inVariables = variables.flatMap(({ query }, index) => (query === undefined ? [] : [{ text: query, field: `spec.variables[${index}].query`, where: '' }]))
  const inPanels = queriesOf(spec).map(({ panel, query, field }) => ({ text: query.query, field, where: `"${panel.title}": ` }))
  return [...inVariables, ...inPanels].flatMap(({ text, field, where }) => [
    ...variablesIn(text).filter((name) => !known.has(name)).map((name) => ({ field, message: `${where}$${name} is no variable; there are ${[...known].filter((one) => !one.startsWith('__')).map((one) => `$${one}`).join(', ')}.` })),
    ...everything.filter((name) => comparesOne(text, name)).map((name) => ({ field, message: `${where}$${name} can be all of them; compare it with =~ or !~.` })),
  ])
}
