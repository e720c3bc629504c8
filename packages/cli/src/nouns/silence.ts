/** `silence`: nobody is told of some alerts for a while. */
import type { Command } from 'commander'
import { fail, type Resource, type SilenceSpec } from '@pavior/contract'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { shownTime } from '../times.ts'
import { matcherOf } from './alerts.ts'

type Silence = Resource<SilenceSpec>

interface AddFlags {
  for: string
  reason: string
  name?: string
  maintenance?: boolean
}

const unitMs: Record<string, number> = { m: 60_000, h: 3600_000, d: 24 * 3600_000 }

export function addSilence(program: Command, context: () => Context): void {
  const silence = program.command('silence').description('Nobody is told of some alerts for a while; they are kept and shown all the same.').addHelpText('before', 'Example:\n  pavior silence list\n')
  silence
    .command('add <matchers...>')
    .description('Silence what all of these match: labels, or rule, slo, severity, app and environment.')
    .requiredOption('--for <time>', 'for how long, such as 30m, 2h, 1d')
    .requiredOption('--reason <text>', 'why; people who wonder read it')
    .option('--name <name>', 'name of the Silence')
    .option('--maintenance', 'what breaks is expected to')
    .addHelpText('before', 'Example:\n  pavior silence add app=checkout-api severity=ticket --for 2h --reason "the database moves"\n')
    .action(async (matchers: string[], { for: length, reason, name, maintenance = false }: AddFlags) => {
      const { api, out, team } = context()
      const spec: SilenceSpec = { reason, matchers: matchers.map(matcherOf), until: new Date(Date.now() + lengthOf(length)).toISOString(), ...(maintenance ? { kind: 'Maintenance' as const } : {}) }
      const made = await api.json<Silence>({ method: 'POST', path: `/apis/pavior.dev/v1/namespaces/${encodeURIComponent(team)}/silences`, body: { metadata: name === undefined ? { generateName: 'silence-' } : { name }, spec } })
      out.result(made, `${made.metadata.name} keeps ${matchers.join(', ')} quiet until ${shownTime(spec.until!)}. End it early with pavior silence end ${made.metadata.name}.`)
    })

  silence
    .command('list')
    .description('List the silences of the team, those that have ended last.')
    .addHelpText('before', 'Example:\n  pavior silence list\n')
    .action(async () => {
      const { api, out, team } = context()
      const ended = ({ spec }: Silence): boolean => spec.until !== undefined && Date.parse(spec.until) <= Date.now()
      const found = (await api.list<Silence>('silences', team)).toSorted((one, other) => Number(ended(one)) - Number(ended(other)) || (other.spec.until ?? '').localeCompare(one.spec.until ?? ''))
      out.result(found, () => (found.length === 0 ? 'There are no silences.' : table(['NAME', 'MATCHES', 'UNTIL', 'REASON'], found.map((one) => [one.metadata.name, one.spec.matchers.map(({ label, op, value }) => `${label}${op}${value}`).join(', '), untilText(one, ended(one)), one.spec.reason]))))
    })

  silence
    .command('end <silence>')
    .description('End a silence now.')
    .addHelpText('before', 'Example:\n  pavior silence end silence-x7k2p\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const { name: by } = await api.json<{ name: string }>({ path: '/v1/whoami' })
      const now = new Date().toISOString()
      const current = await api.get<Silence>('silences', team, name)
      if (current.spec.from !== undefined && current.spec.from >= now) throw fail('BAD_REQUEST', { message: `${name} has not begun yet.`, fix: `Delete it: pavior delete silence ${name}` })
      out.result(await api.merge<Silence>('silences', team, name, { spec: { until: now, endedBy: by } }), `${name} has ended. What still fires is told of.`)
    })
}

function untilText({ spec }: Silence, ended: boolean): string {
  if (spec.until === undefined) return `every ${spec.weekly?.days.join(', ')}`
  return ended ? `ended ${shownTime(spec.until)}` : shownTime(spec.until)
}

function lengthOf(text: string): number {
  const found = /^([1-9][0-9]{0,3})([mhd])$/.exec(text)
  if (!found) throw fail('BAD_REQUEST', { message: `"${text}" is no length of time.`, fix: 'Give minutes, hours or days, such as 30m, 2h or 1d.' })
  return Number(found[1]) * unitMs[found[2]!]!
}
