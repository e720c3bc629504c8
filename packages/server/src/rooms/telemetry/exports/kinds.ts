import { exportTypes, type Cause, type ExportType, TelemetryExportSpec, TelemetryExportStatus, type Reach } from '@pavior/contract'
import { defineKind } from '../../../kernel/kind.ts'
import { addressProblem } from '../../../kernel/outward.ts'

export function exportType(spec: TelemetryExportSpec): ExportType {
  return exportTypes.find((type) => spec[type] !== undefined)!
}

const takes: Partial<Record<ExportType, 'metrics' | 'logs'>> = { prometheus: 'metrics', loki: 'logs' }

export const telemetryExport = defineKind<TelemetryExportSpec, TelemetryExportStatus>({
  kind: 'TelemetryExport',
  plural: 'telemetryexports',
  shortNames: ['exports'],
  scope: 'Namespaced',
  description: 'Metrics, logs and traces of a team, sent on to OpenTelemetry, Prometheus or Loki.',
  spec: TelemetryExportSpec,
  status: TelemetryExportStatus,
  nameForm: 'label',
  maxNameLength: 63,
  access: { developer: ['create', 'update', 'patch', 'delete'] },
  validate: ({ spec }) => {
    const given = exportTypes.filter((type) => spec[type] !== undefined)
    if (given.length !== 1) return [{ field: 'spec', message: `Give one of ${exportTypes.join(', ')}.` }]
    const [type] = given as [ExportType]
    const only = takes[type]
    return [...(only === undefined || (spec.signals.length === 1 && spec.signals[0] === only) ? [] : [{ field: 'spec.signals', message: `${type} takes ${only} only.` }]), ...reachCauses(`spec.${type}`, spec[type]!)]
  },
  columns: [
    { name: 'Type', type: 'string', description: 'What it speaks.', value: ({ spec }) => exportType(spec) },
    { name: 'Signals', type: 'string', description: 'What is sent.', value: ({ spec }) => spec.signals.join(', ') },
    { name: 'State', type: 'string', description: 'How it goes.', value: ({ status }) => status?.state },
    { name: 'Lag', type: 'number', description: 'How long the oldest of what is not sent yet has been stored, in seconds.', value: ({ status }) => status?.lagSeconds },
    { name: 'Sent', type: 'integer', description: 'What the other side took.', value: ({ status }) => status?.sent },
    { name: 'Dropped', type: 'integer', description: 'What it will never get.', value: ({ status }) => status?.dropped },
    { name: 'Message', type: 'string', description: 'What was answered last.', priority: 1, value: ({ status }) => status?.message },
  ],
})

/** What is wrong with how a server of somebody else is reached. */
export function reachCauses(field: string, { url, headers = {}, secretHeaders = {}, tokenSecret, user, passwordSecret }: Reach): Cause[] {
  const problem = addressProblem(url)
  const named = [...Object.keys(headers), ...Object.keys(secretHeaders), ...(tokenSecret === undefined ? [] : ['authorization']), ...(user === undefined ? [] : ['authorization'])].map((name) => name.toLowerCase())
  const twice = named.find((name, index) => named.indexOf(name) !== index)
  const ours = named.find((name) => ownHeaders.has(name))
  return [
    ...(problem === undefined ? [] : [{ field: `${field}.url`, message: `It ${problem}.` }]),
    ...(twice === undefined ? [] : [{ field, message: `The header ${twice} is given twice.` }]),
    ...(ours === undefined ? [] : [{ field, message: `The header ${ours} is set by the platform.` }]),
    ...((user === undefined) === (passwordSecret === undefined) ? [] : [{ field, message: 'user and passwordSecret belong together.' }]),
  ]
}

const ownHeaders = new Set(['host', 'content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'connection'])
