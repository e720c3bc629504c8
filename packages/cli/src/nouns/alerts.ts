/** `alerts`: what fires, who has it, what came of it. */
import type { Command } from 'commander'
import { fail, type AlertSpec, type AlertStatus, type NoiseReport, type NotificationRow, type Resource } from '@pavior/contract'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { shownTime } from '../times.ts'

type Alert = Resource<AlertSpec, AlertStatus>

interface ListFlags {
  app?: string
  all?: boolean
}

const ranks: Record<string, number> = { Firing: 0, Acknowledged: 1, Resolved: 2 }

export function addAlerts(program: Command, context: () => Context): void {
  const alerts = program.command('alerts').description('What fires, who has it, and what came of it.').addHelpText('before', 'Example:\n  pavior alerts list\n')
  alerts
    .command('list')
    .description('List the alerts of the team that are open.')
    .option('-a, --app <name>', 'only of this app')
    .option('--all', 'those that are over, too')
    .addHelpText('before', 'Example:\n  pavior alerts list --all\n')
    .action(async ({ app, all = false }: ListFlags) => {
      const { api, out, team } = context()
      const found = (await api.list<Alert>('alerts', team)).filter(({ spec, status }) => (app === undefined || spec.app === app) && (all || status?.state !== 'Resolved')).toSorted(byUrgency)
      out.result(found, () => (found.length === 0 ? `Nothing fires${app === undefined ? '' : ` for ${app}`}.${all ? '' : ' What is over: pavior alerts list --all'}` : table(['NAME', 'SEVERITY', 'STATE', 'SINCE', 'MEMBERS', 'SUMMARY'], found.map(row))))
    })

  alerts
    .command('show <alert>')
    .description('An alert with its members, and who was told when.')
    .addHelpText('before', 'Example:\n  pavior alerts show checkout-errors-4f1a2b\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const alert = await api.get<Alert>('alerts', team, name)
      const { items } = await api.json<{ items: NotificationRow[] }>({ path: `${pathOf(team, name)}/notifications` })
      out.result({ ...alert, notifications: items }, () => [...shown(alert), ...(items.length === 0 ? [] : ['', deliveries(items)])].join('\n'))
    })

  alerts
    .command('ack <alert>')
    .description('Take it: nobody else is told of it any more.')
    .option('-m, --message <text>', 'what the others shall know')
    .addHelpText('before', 'Example:\n  pavior alerts ack checkout-errors-4f1a2b -m "looking at the database"\n')
    .action(async (name: string, { message }: { message?: string }) => {
      const { api, out, team } = context()
      const alert = await api.json<Alert>({ method: 'POST', path: `${pathOf(team, name)}/acknowledge`, body: message === undefined ? {} : { note: message } })
      out.result(alert, `${name} is yours, ${alert.status?.acknowledged?.by}. Nobody else is told of it any more.`)
    })

  alerts
    .command('resolve <alert>')
    .description('End it. While its condition still holds, no other is opened.')
    .option('--noise', 'it was nothing that anybody had to do')
    .addHelpText('before', 'Example:\n  pavior alerts resolve checkout-errors-4f1a2b\n')
    .action(async (name: string, { noise = false }: { noise?: boolean }) => {
      const { api, out, team } = context()
      const alert = await api.json<Alert>({ method: 'POST', path: `${pathOf(team, name)}/resolve`, body: noise ? { verdict: 'Noise' } : {} })
      out.result(alert, `${name} is resolved.`)
    })

  alerts
    .command('noise <alert>')
    .description('Say that it was noise: its rule is told so.')
    .option('--not', 'no, somebody had to act')
    .addHelpText('before', 'Example:\n  pavior alerts noise checkout-errors-4f1a2b\n')
    .action(async (name: string, { not = false }: { not?: boolean }) => {
      const { api, out, team } = context()
      const alert = await api.json<Alert>({ method: 'POST', path: `${pathOf(team, name)}/verdict`, body: { verdict: not ? 'ActedUpon' : 'Noise' } })
      out.result(alert, not ? `${name} counts as acted upon.` : `${name} counts as noise of ${alert.spec.source.name}.`)
    })

  alerts
    .command('test <channel>')
    .description('Send a message that is marked as a test by a NotificationChannel, and show the answer.')
    .addHelpText('before', 'Example:\n  pavior alerts test ops\n')
    .action(async (channel: string) => {
      const { api, out, team } = context()
      const result = await api.json<{ answer: string }>({ method: 'POST', path: `/v1/teams/${encodeURIComponent(team)}/notificationchannels/${encodeURIComponent(channel)}/test`, body: {} })
      out.result(result, `${channel} works. ${result.answer}`)
    })

  alerts
    .command('report')
    .description('How the rules did: what was acted upon, what was noise, what woke people.')
    .option('--days <days>', 'how far back, at most 28', '7')
    .addHelpText('before', 'Example:\n  pavior alerts report --days 28\n')
    .action(async ({ days }: { days: string }) => {
      const { api, out, team } = context()
      const report = await api.json<NoiseReport>({ path: `/v1/teams/${encodeURIComponent(team)}/alert-report?${new URLSearchParams({ days }).toString()}` })
      out.result(report, () => (report.rules.length === 0 ? 'Nobody was told of anything in this time.' : table(['SOURCE', 'ALERTS', 'PAGES', 'AT NIGHT (UTC)', 'ACTED UPON', 'NOISE', 'PRECISION'], report.rules.map(({ source, alerts: count, pages, atNight, actedUpon, noise, precision }) => [source, String(count), String(pages), String(atNight), String(actedUpon), String(noise), precision === undefined ? '-' : `${Math.round(precision * 100)} %`]))))
    })
}

function pathOf(team: string, name: string): string {
  return `/v1/teams/${encodeURIComponent(team)}/alerts/${encodeURIComponent(name)}`
}

function byUrgency(one: Alert, other: Alert): number {
  const rank = ({ spec, status }: Alert): number => ranks[status?.state ?? 'Firing']! * 2 + Number(spec.severity !== 'page')
  return rank(one) - rank(other) || (other.status?.since ?? '').localeCompare(one.status?.since ?? '')
}

function stateText({ status = {} }: Alert): string {
  const { state = 'Firing', acknowledged, quiet } = status
  if (state === 'Acknowledged') return `taken by ${acknowledged?.by.replace(/^user:/, '')}`
  return state === 'Firing' && quiet ? `quiet: ${quiet.because.toLowerCase()}` : state.toLowerCase()
}

function row(alert: Alert): string[] {
  const { metadata, spec, status } = alert
  return [metadata.name, spec.severity, stateText(alert), status?.since ? shownTime(status.since) : '', String(status?.members ?? 0), spec.summary]
}

function shown(alert: Alert): string[] {
  const { metadata, spec, status = {} } = alert
  const { since, acknowledged, quiet, escalation, examples = [], members = 0, total = 0, affects, resolvedAt, verdict } = status
  return [
    `${metadata.name}: ${spec.summary}`,
    `  state    ${stateText(alert)}${since ? `, since ${shownTime(since)}` : ''}${resolvedAt ? `, over at ${shownTime(resolvedAt)}` : ''}`,
    `  source   ${spec.source.kind} ${spec.source.name}, ${spec.severity}${spec.app === undefined ? '' : `, ${spec.app} in ${spec.environment}`}`,
    ...(acknowledged ? [`  taken    by ${acknowledged.by} at ${shownTime(acknowledged.at)}${acknowledged.note ? `: ${acknowledged.note}` : ''}`] : []),
    ...(quiet ? [`  quiet    ${quiet.because.toLowerCase()} by ${quiet.by}${quiet.until ? ` until ${shownTime(quiet.until)}` : ''}`] : []),
    ...(escalation ? [`  told     level ${escalation.level}, round ${escalation.round}${escalation.nextAt ? `; the next level at ${shownTime(escalation.nextAt)}` : ''}`] : []),
    `  members  ${members} now, ${total} since it began`,
    ...examples.map(({ labels, value, text }) => `           ${text ?? ([Object.entries(labels).map(([label, given]) => `${label}=${given}`).join(', '), ...(value === undefined ? [] : [String(value)])].filter((part) => part !== '').join(': ') || '-')}`),
    ...(affects?.length ? [`  affects  ${affects.join(', ')}`] : []),
    ...(spec.runbook ? [`  runbook  ${spec.runbook}`] : []),
    ...(verdict ? [`  verdict  ${verdict === 'Noise' ? 'noise' : 'acted upon'}`] : []),
    ...(status.state === 'Firing' ? [`  take it  pavior alerts ack ${metadata.name}`] : []),
  ]
}

function deliveries(items: readonly NotificationRow[]): string {
  return table(['AT', 'WHAT', 'TO', 'BY', 'STATE', 'ATTEMPTS', 'ANSWER'], items.map(({ createdAt, kind, recipient, channel, state, attempts, answer }) => [shownTime(createdAt), kind.toLowerCase(), recipient, channel, state.toLowerCase(), String(attempts), answer ?? '']))
}

/** `app=shop`, `host=~web.*`. Exported for `silence add`. */
export function matcherOf(text: string): { label: string; op: '=' | '!=' | '=~' | '!~'; value: string } {
  const found = /^([A-Za-z_][A-Za-z0-9_]*)(=~|!~|!=|=)(.*)$/s.exec(text)
  if (!found) throw fail('BAD_REQUEST', { message: `"${text}" matches nothing.`, fix: 'Give matchers such as app=checkout-api, rule!=disk or host=~"web.*".' })
  return { label: found[1]!, op: found[2] as '=', value: found[3]!.replace(/^"(.*)"$/s, '$1') }
}
