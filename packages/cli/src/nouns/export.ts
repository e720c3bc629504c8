/** `export`: telemetry of the team, sent on. */
import type { Command } from 'commander'
import { exportTypes, fail, type ExportSignal, type Resource, type TelemetryExportSpec, type TelemetryExportStatus } from '@pavior/contract'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { reachOf, withReach, type ReachFlags } from '../reach.ts'
import { shownTime } from '../times.ts'

type TelemetryExport = Resource<TelemetryExportSpec, TelemetryExportStatus>

interface AddFlags extends ReachFlags {
  otlp?: string
  prometheus?: string
  loki?: string
  signals?: string
  json?: boolean
  app?: string[]
  environment?: string[]
  maxLag?: string
}

const usualSignals: Record<string, ExportSignal[]> = { otlp: ['metrics', 'logs', 'traces'], prometheus: ['metrics'], loki: ['logs'] }

export function addExport(program: Command, context: () => Context): void {
  const exports = program.command('export').description('Metrics, logs and traces of the team, sent on to OpenTelemetry, Prometheus or Loki.').addHelpText('before', 'Example:\n  pavior export list\n')
  exports
    .command('list')
    .description('List the exports of the team, and how they do.')
    .addHelpText('before', 'Example:\n  pavior export list\n')
    .action(async () => {
      const { api, out, team } = context()
      const found = await api.list<TelemetryExport>('telemetryexports', team)
      out.result(found, () => (found.length === 0 ? 'Nothing is sent on. Begin with: pavior export add <name> --prometheus <url>' : table(['NAME', 'TYPE', 'SIGNALS', 'STATE', 'LAG', 'SENT', 'DROPPED', 'MESSAGE'], found.map(row))))
    })

  withReach(
    exports
      .command('add <name>')
      .description('Send telemetry of the team on, from now on.')
      .option('--otlp <url>', 'to OpenTelemetry over HTTP')
      .option('--prometheus <url>', 'metrics by remote write')
      .option('--loki <url>', 'logs to Loki')
      .option('--signals <list>', 'of metrics, logs and traces (default: all that it takes)')
      .option('--app <names...>', 'only of these apps')
      .option('--environment <names...>', 'only of these environments')
      .option('--max-lag <minutes>', 'what could not be sent for so long is given up', '60'),
  )
    .addHelpText('before', 'Example:\n  pavior export add mimir --prometheus https://mimir.example/api/v1/push --header X-Scope-OrgID=blue --token-secret mimir-token\n')
    .action(async (name: string, flags: AddFlags) => {
      const { api, out, team } = context()
      const spec = specOf(flags)
      const made = await api.json<TelemetryExport>({ method: 'POST', path: `/apis/pavior.dev/v1/namespaces/${encodeURIComponent(team)}/telemetryexports`, body: { metadata: { name }, spec } })
      out.result(made, `${name} sends ${spec.signals.join(', ')} from now on. Try it with pavior export test ${name}.`)
    })

  exports
    .command('show <export>')
    .description('How an export does, by signal.')
    .addHelpText('before', 'Example:\n  pavior export show mimir\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const found = await api.get<TelemetryExport>('telemetryexports', team, name)
      out.result(found, () => shown(found).join('\n'))
    })

  exports
    .command('test <export>')
    .description('Send an empty request of each signal, and show what is answered.')
    .addHelpText('before', 'Example:\n  pavior export test mimir\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const result = await api.json<{ signals: { signal: string; answer: string }[] }>({ method: 'POST', path: `/v1/teams/${encodeURIComponent(team)}/telemetryexports/${encodeURIComponent(name)}/test`, body: {} })
      out.result(result, () => result.signals.map(({ signal, answer }) => `${signal}: ${answer}`).join('\n'))
    })

  exports
    .command('remove <export>')
    .description('Send nothing any more; what waits is forgotten.')
    .addHelpText('before', 'Example:\n  pavior export remove mimir\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      await api.json({ method: 'DELETE', path: `/apis/pavior.dev/v1/namespaces/${encodeURIComponent(team)}/telemetryexports/${encodeURIComponent(name)}` })
      out.result({ removed: name }, `${name} is removed, and nothing is sent there any more.`)
    })
}

function specOf(flags: AddFlags): TelemetryExportSpec {
  const given = exportTypes.filter((type) => flags[type] !== undefined)
  const [type] = given
  if (type === undefined || given.length > 1) throw fail('BAD_REQUEST', { message: 'An export goes to one place.', fix: 'Give one of --otlp, --prometheus and --loki.' })
  const signals = flags.signals === undefined ? usualSignals[type]! : (flags.signals.split(',').map((signal) => signal.trim()) as ExportSignal[])
  return {
    signals,
    [type]: { url: flags[type]!, ...reachOf(flags) },
    ...(flags.app ? { apps: flags.app } : {}),
    ...(flags.environment ? { environments: flags.environment } : {}),
    maxLagMinutes: Number(flags.maxLag),
  } as TelemetryExportSpec
}

function typeOf({ spec }: TelemetryExport): string {
  return exportTypes.find((type) => spec[type] !== undefined) ?? ''
}

function row(one: TelemetryExport): string[] {
  const { state = 'Waiting', lagSeconds = 0, sent = 0, dropped = 0, message = '' } = one.status ?? {}
  return [one.metadata.name, typeOf(one), one.spec.signals.join(', '), state.toLowerCase(), `${lagSeconds} s`, String(sent), String(dropped), message]
}

function shown(one: TelemetryExport): string[] {
  const { metadata, spec, status = {} } = one
  const type = typeOf(one) as 'otlp'
  return [
    `${metadata.name}: ${spec.signals.join(', ')} by ${type} to ${spec[type]!.url}`,
    `  state    ${(status.state ?? 'Waiting').toLowerCase()}${status.since ? `, since ${shownTime(status.since)}` : ''}${status.message ? `: ${status.message}` : ''}`,
    ...(spec.apps ? [`  apps     ${spec.apps.join(', ')}`] : []),
    ...(spec.environments ? [`  in       ${spec.environments.join(', ')}`] : []),
    '',
    table(['SIGNAL', 'STATE', 'LAG', 'SENT', 'DROPPED', 'LAST TAKEN'], (status.signals ?? []).map(({ signal, state, lagSeconds, sent, dropped, lastSuccess }) => [signal, state.toLowerCase(), `${lagSeconds} s`, String(sent), Object.entries(dropped).map(([reason, count]) => `${count} ${reason.replace('_', ' ')}`).join(', ') || '0', lastSuccess ? shownTime(lastSuccess) : '-'])),
  ]
}
