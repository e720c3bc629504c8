import { TemplateRunSpec, TemplateRunStatus, TemplateSpec } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'

export const template = defineKind<TemplateSpec, Record<string, never>>({
  kind: 'Template',
  plural: 'templates',
  scope: 'Namespaced',
  description: 'A golden path: questions, code, and the steps from answers to an app that runs.',
  spec: TemplateSpec,
  nameForm: 'label',
  maxNameLength: 63,
  access: { developer: ['update', 'patch', 'delete'] },
  validate: (next, previous) => {
    const known = new Set((next.spec.versions ?? []).map(({ version }) => version))
    const causes = []
    // Files come with a version; writing a resource cannot bring them.
    if (previous && JSON.stringify(previous.spec.steps) !== JSON.stringify(next.spec.steps) && previous.spec.version === next.spec.version) causes.push({ field: 'spec.steps', message: 'is changed by publishing a new version.' })
    if (known.size > 0 && !known.has(next.spec.version)) causes.push({ field: 'spec.version', message: 'is not among the versions that are kept.' })
    if (next.spec.canary && known.size > 0 && !known.has(next.spec.canary.version)) causes.push({ field: 'spec.canary.version', message: 'is not among the versions that are kept.' })
    return causes
  },
  columns: [
    { name: 'Version', type: 'string', description: 'Version that new apps are made from.', value: ({ spec }) => spec.version },
    { name: 'Title', type: 'string', description: 'Title.', value: ({ spec }) => spec.title },
    { name: 'Owner', type: 'string', description: 'Who looks after it.', value: ({ spec }) => spec.owner },
    { name: 'Deprecated', type: 'string', description: 'Day on which support ends.', value: ({ spec }) => spec.deprecated && (spec.deprecated.deadline ?? 'yes') },
  ],
})

export const templateRun = defineKind<TemplateRunSpec, TemplateRunStatus>({
  kind: 'TemplateRun',
  plural: 'templateruns',
  scope: 'Namespaced',
  description: 'One use of a template: its answers, and the journal of its steps.',
  spec: TemplateRunSpec,
  status: TemplateRunStatus,
  indexes: ['spec.template', 'spec.app'],
  immutable: { except: ['resume', 'canceled'] },
  access: { developer: ['update', 'patch', 'delete'] },
  columns: [
    { name: 'Template', type: 'string', description: 'Template and version.', value: ({ spec }) => `${spec.template} ${spec.version}` },
    { name: 'App', type: 'string', description: 'App that it makes.', value: ({ spec }) => spec.app },
    { name: 'Phase', type: 'string', description: 'How far it is.', value: ({ status }) => status?.phase },
    { name: 'URL', type: 'string', description: 'Where the app answers.', value: ({ status }) => status?.url },
  ],
})
