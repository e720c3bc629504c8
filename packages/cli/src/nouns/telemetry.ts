/** `telemetry`: what apps use of their limits, and what of their measurements is not stored. */
import type { Command } from 'commander'
import type { TelemetryUse } from '@pavior/contract'
import type { Context } from '../context.ts'
import { age, table } from '../output.ts'

export function addTelemetry(program: Command, context: () => Context): void {
  program
    .command('telemetry [app]')
    .description('Limits of telemetry and what was dropped, of an app or of all of the team.')
    .addHelpText('before', 'Example:\n  pavior telemetry checkout-api\n')
    .action(async (given: string | undefined) => {
      const { api, out, team } = context()
      const names = given === undefined ? (await api.list('apps', team)).map(({ metadata }) => metadata.name) : [given]
      const found = await Promise.all(names.map((name) => api.json<TelemetryUse>({ path: `/v1/teams/${encodeURIComponent(team)}/apps/${encodeURIComponent(name)}/telemetry` })))
      out.result(given === undefined ? found : found[0], () => [table(['APP', 'SERIES', 'LIMIT', 'POINTS/S', 'LINES/S', 'DROPPED'], found.map(row)), ...found.flatMap(drops)].join('\n'))
    })
}

function row({ app, metrics: { series, pointsPerSecond }, logs: { linesPerSecond }, dropped }: TelemetryUse): string[] {
  return [app, String(series.used), String(series.limit), `at most ${pointsPerSecond.limit}`, `at most ${linesPerSecond.limit}`, String(dropped.reduce((sum, { points }) => sum + points, 0))]
}

function drops({ app, dropped, droppedDays }: TelemetryUse): string[] {
  if (dropped.length === 0) return []
  return [`\n${app}, points and lines that were not stored in the last ${droppedDays} days:`, table(['OF', 'REASON', 'COUNT', 'LAST', 'MEANING'], dropped.map(({ signal, reason, points, lastAt, meaning }) => [signal, reason, String(points), age(lastAt), meaning]))]
}
