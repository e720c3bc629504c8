/** `oncall`: who answers, who follows, and who stands in. */
import type { Command } from 'commander'
import { fail, isPaviorError, type OnCallScheduleSpec, type OnCallScheduleStatus, type OnCallShift, type Resource } from '@pavior/contract'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { readText, type Api } from '../api.ts'
import { shownTime } from '../times.ts'

type Schedule = Resource<OnCallScheduleSpec, OnCallScheduleStatus>

interface OverrideFlags {
  user?: string
  from?: string
  until?: string
  hours?: string
  reason?: string
}

const hourMs = 3600_000
const overrideTries = 5

export function addOnCall(program: Command, context: () => Context): void {
  const onCall = program.command('oncall').description('Who answers when something breaks.').addHelpText('before', 'Example:\n  pavior oncall list\n')
  onCall
    .command('list')
    .description('Every schedule of the team, with who is on call now.')
    .addHelpText('before', 'Example:\n  pavior oncall list\n')
    .action(async () => {
      const { api, out, team } = context()
      const found = await api.list<Schedule>('oncallschedules', team)
      const row = ({ metadata, status = {} }: Schedule): string[] => [metadata.name, status.now?.user ?? 'nobody', status.now ? shownTime(status.now.until) : '', status.next?.user ?? '', status.gaps?.length ? `${status.gaps.length} in the next 28 days` : 'none']
      out.result(found, () => (found.length === 0 ? 'No schedules. See what one says: pavior explain oncallschedule' : [table(['NAME', 'NOW', 'UNTIL', 'NEXT', 'GAPS'], found.map(row)), ...found.flatMap(strangers)].join('\n')))
    })

  onCall
    .command('show <schedule>')
    .description('The turns that come.')
    .option('--days <days>', 'how far ahead, at most 100', '28')
    .option('--from <time>', 'from when, ISO 8601 (default: now)')
    .addHelpText('before', 'Example:\n  pavior oncall show primary --days 14\n')
    .action(async (name: string, { days, from }: { days: string; from?: string }) => {
      const { api, out, team } = context()
      const { items } = await api.json<{ items: (OnCallShift & { nobody?: true })[] }>({ path: `${pathOf(team, name)}/shifts?${new URLSearchParams({ days, ...(from === undefined ? {} : { from }) }).toString()}` })
      out.result(items, () => table(['FROM', 'UNTIL', 'WHO', 'BY'], items.map(({ from: begin, until, user, layer, nobody }) => [shownTime(begin), shownTime(until), nobody ? 'nobody' : user, nobody ? '' : (layer ?? 'override')])))
    })

  onCall
    .command('override <schedule>')
    .description('Somebody stands in for a while.')
    .option('--user <name>', 'who takes it (default: you)')
    .option('--from <time>', 'from when, ISO 8601 (default: now)')
    .option('--until <time>', 'until when, ISO 8601')
    .option('--hours <hours>', 'instead of --until: for so many hours')
    .option('--reason <text>', 'why')
    .addHelpText('before', 'Example:\n  pavior oncall override primary --user bob --hours 4 --reason "ada is at the dentist"\n')
    .action(async (name: string, flags: OverrideFlags) => {
      const { api, out, team } = context()
      const user = flags.user ?? (await api.json<{ name: string }>({ path: '/v1/whoami' })).name.replace(/^user:/, '')
      const from = flags.from === undefined ? new Date() : timeOf(flags.from)
      const until = untilOf(from, flags)
      const override = { user, from: from.toISOString(), until: until.toISOString(), ...(flags.reason === undefined ? {} : { reason: flags.reason }) }
      const changed = await addOverride(api, team, name, override)
      out.result(changed, `${user} is on call for ${name} from ${shownTime(override.from)} until ${shownTime(override.until)}.`)
    })

  onCall
    .command('ical <schedule>')
    .description('The schedule as a calendar, for a file or another calendar.')
    .addHelpText('before', 'Example:\n  pavior oncall ical primary > primary.ics\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const text = await readText(await api.open({ path: `${pathOf(team, name)}/calendar.ics` }))
      out.result({ calendar: text }, text.trimEnd())
    })
}

/** Somebody who cannot sign in cannot answer either. */
function strangers({ metadata, status }: Schedule): string[] {
  return status?.unknownUsers?.length ? ['', `${metadata.name} names ${status.unknownUsers.join(', ')}, and there is no active user of that name.`] : []
}

function pathOf(team: string, name: string): string {
  return `/v1/teams/${encodeURIComponent(team)}/oncall/${encodeURIComponent(name)}`
}

function untilOf(from: Date, { until, hours }: OverrideFlags): Date {
  if ((until === undefined) === (hours === undefined)) throw fail('BAD_REQUEST', { message: 'Say until when: --until or --hours, one of them.' })
  if (until !== undefined) return timeOf(until)
  const length = Number(hours)
  if (!(length > 0)) throw fail('BAD_REQUEST', { message: `"${hours}" is not a number of hours.` })
  return new Date(from.getTime() + length * hourMs)
}

function timeOf(text: string): Date {
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw fail('BAD_REQUEST', { message: `"${text}" is not a time.`, fix: 'Give an ISO 8601 time, for example 2026-01-31T12:00:00Z.' })
  return new Date(at)
}

/** Read again when somebody else changed the schedule at the same moment. */
async function addOverride(api: Api, team: string, name: string, override: NonNullable<OnCallScheduleSpec['overrides']>[number]): Promise<Schedule> {
  for (let left = overrideTries; ; left--) {
    const current = await api.get<Schedule>('oncallschedules', team, name)
    // What is over is no longer needed, and the list does not grow for ever.
    const kept = (current.spec.overrides ?? []).filter(({ until }) => Date.parse(until) > Date.now() - 30 * 24 * hourMs)
    try {
      return await api.merge<Schedule>('oncallschedules', team, name, { metadata: { resourceVersion: current.metadata.resourceVersion }, spec: { overrides: [...kept, override] } })
    } catch (error) {
      if (left <= 1 || !isPaviorError(error) || error.code !== 'CONFLICT') throw error
    }
  }
}
