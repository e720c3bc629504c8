/** `incident`: what is wrong now, what is done about it, and by whom. */
import type { Command } from 'commander'
import { fail, incidentRoles, incidentSeverities, incidentStates, type IncidentEntry, type IncidentSpec, type IncidentStatus, type IncidentSuspect, type ReliabilityFigures, type Resource, type SpanFigures } from '@pavior/contract'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { printLines } from '../print-lines.ts'
import { shownTime } from '../times.ts'

type Incident = Resource<IncidentSpec, IncidentStatus>

interface OpenFlags {
  severity?: string
  app?: string
  environment?: string
  channel?: string
}

interface UpdateFlags {
  public?: string
  publicTitle?: string
}

const over = new Set(['Resolved', 'Closed'])
const shownSuspects = 3

export function addIncident(program: Command, context: () => Context): void {
  const incident = program.command('incident').alias('incidents').description('What is wrong, and what is done about it.').addHelpText('before', 'Example:\n  pavior incident list\n')
  addReading(incident, context)
  addActs(incident, context)
}

function addReading(incident: Command, context: () => Context): void {
  incident
    .command('list')
    .description('Incidents of the team, open ones first.')
    .option('-a, --app <name>', 'only of this app')
    .option('--open', 'only those that are not over')
    .addHelpText('before', 'Example:\n  pavior incident list --open\n')
    .action(async (flags: { app?: string; open?: boolean }) => {
      const { api, out, team } = context()
      const found = (await api.list<Incident>('incidents', team)).filter((one) => (flags.app === undefined || one.spec.app === flags.app) && (!flags.open || !isOver(one))).toSorted(byUrgency)
      out.result(found, () => (found.length === 0 ? 'No incidents.' : table(['NAME', 'SEVERITY', 'STATE', 'APP', 'COMMANDER', 'DETECTED', 'TITLE'], found.map(row))))
    })

  incident
    .command('show <name>')
    .description('How it stands: whom it hurts, what probably did it, what takes that back.')
    .addHelpText('before', 'Example:\n  pavior incident show inc-12\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const found = await api.get<Incident>('incidents', team, name)
      out.result(found, () => shown(found).join('\n'))
    })

  incident
    .command('timeline <name>')
    .description('What happened, in its order.')
    .option('-f, --follow', 'go on as it happens')
    .addHelpText('before', 'Example:\n  pavior incident timeline inc-12 --follow\n')
    .action(async (name: string, { follow }: { follow?: boolean }) => {
      const { api, out, team } = context()
      const path = `${pathOf(team, name)}/timeline`
      if (follow) return printLines<IncidentEntry>(context(), `${path}?follow=1`, lineOf)
      const { items } = await api.json<{ items: IncidentEntry[] }>({ path })
      out.result(items, () => items.map(lineOf).join('\n'))
    })

  incident
    .command('figures')
    .description('How the team fares: times, postmortems, actions, repeats.')
    .option('--days <days>', 'how far back', '90')
    .addHelpText('before', 'Example:\n  pavior incident figures --days 30\n')
    .action(async ({ days }: { days: string }) => {
      const { api, out, team } = context()
      const figures = await api.json<ReliabilityFigures>({ path: `/v1/teams/${encodeURIComponent(team)}/reliability/figures?days=${encodeURIComponent(days)}` })
      out.result(figures, () => figureText(figures))
    })
}

function addActs(incident: Command, context: () => Context): void {
  const act = async (name: string, verb: string, body: object, text: (incident: Incident) => string): Promise<void> => {
    const { api, out, team } = context()
    const changed = await api.json<Incident>({ method: 'POST', path: `${pathOf(team, name)}/${verb}`, body })
    out.result(changed, () => text(changed))
  }
  const stands = ({ metadata, status }: Incident): string => `${metadata.name} is ${status?.state ?? 'Investigating'}.`

  incident
    .command('open <title>')
    .description('Open one by hand.')
    .option('-s, --severity <severity>', `${incidentSeverities.join(', ')} (default: sev3)`)
    .option('-a, --app <name>', 'app that has the trouble')
    .option('-e, --environment <name>', 'environment that has it')
    .option('--channel <name>', 'chat channel that updates are copied to')
    .addHelpText('before', 'Example:\n  pavior incident open "Checkout answers slowly" --severity sev2 --app checkout-api\n')
    .action(async (title: string, flags: OpenFlags) => {
      const { api, out, team } = context()
      const opened = await api.json<Incident>({ method: 'POST', path: `/v1/teams/${encodeURIComponent(team)}/incidents`, body: { title, ...flags } })
      out.result(opened, `${opened.metadata.name} is open. Take it: pavior incident ack ${opened.metadata.name}`)
    })

  incident
    .command('ack <name>')
    .description('Take it: everybody sees that you have it in hand.')
    .option('--note <text>', 'what you say with it')
    .addHelpText('before', 'Example:\n  pavior incident ack inc-12\n')
    .action((name: string, flags: { note?: string }) => act(name, 'acknowledge', flags, ({ status }) => `${name} is with ${who(status?.acknowledged?.by)} since ${shownTime(status?.acknowledged?.at ?? '')}.`))

  incident
    .command('note <name> <text>')
    .description('Write a line into the timeline.')
    .addHelpText('before', 'Example:\n  pavior incident note inc-12 "The pool of connections is full."\n')
    .action((name: string, text: string) => act(name, 'note', { text }, () => `Noted in ${name}.`))

  incident
    .command('update <name> [text]')
    .description('Tell how it goes: those inside, the public, or both.')
    .option('--public <text>', 'what the status page says')
    .option('--public-title <title>', 'what the status page calls it')
    .addHelpText('before', 'Example:\n  pavior incident update inc-12 "We roll back v12." --public "Payments fail for some. We are on it."\n')
    .action((name: string, text: string | undefined, flags: UpdateFlags) => act(name, 'update', { ...(text === undefined ? {} : { text }), ...flags }, () => (flags.public === undefined ? `Said in ${name}.` : `The status page says so for ${name}.`)))

  incident
    .command('assign <name> <role> [user]')
    .description(`Give somebody a role: ${incidentRoles.join(', ')}. Without a user nobody holds it.`)
    .addHelpText('before', 'Example:\n  pavior incident assign inc-12 commander ada\n')
    .action((name: string, role: string, user: string | undefined) => act(name, 'assign', { role, user: user ?? null }, () => (user === undefined ? `Nobody is ${role} of ${name}.` : `${user} is ${role} of ${name}.`)))

  incident
    .command('severity <name> <severity>')
    .description(`Say how bad it is: ${incidentSeverities.join(', ')}.`)
    .option('--reason <text>', 'why')
    .addHelpText('before', 'Example:\n  pavior incident severity inc-12 sev1 --reason "Nobody can pay."\n')
    .action((name: string, severity: string, flags: { reason?: string }) => act(name, 'severity', { severity, ...flags }, () => `${name} is ${severity}.`))

  incident
    .command('state <name> <state>')
    .description(`Move it: ${incidentStates.join(', ')}.`)
    .option('--from <state>', 'only if it is in this one still')
    .option('--note <text>', 'what you say with it')
    .addHelpText('before', 'Example:\n  pavior incident state inc-12 identified\n')
    .action((name: string, state: string, flags: { from?: string; note?: string }) => act(name, 'state', { ...flags, state: stateOf(state), ...(flags.from === undefined ? {} : { from: stateOf(flags.from) }) }, stands))

  incident
    .command('resolve <name>')
    .description('Say that the cause is dealt with.')
    .option('--note <text>', 'what you say with it')
    .addHelpText('before', 'Example:\n  pavior incident resolve inc-12 --note "v11 serves again."\n')
    .action((name: string, flags: { note?: string }) => act(name, 'resolve', flags, (one) => `${stands(one)} Close it when nothing is left to do: pavior incident close ${name}`))

  incident
    .command('close <name>')
    .description('End it for good; sev1 and sev2 get the draft of a postmortem.')
    .option('--note <text>', 'what you say with it')
    .option('--postmortem', 'draft one whatever the severity')
    .option('--no-postmortem', 'draft none')
    .addHelpText('before', 'Example:\n  pavior incident close inc-12\n')
    .action((name: string, flags: { note?: string; postmortem?: boolean }) => act(name, 'close', flags, (one) => `${stands(one)}${wantsPostmortem(one) ? ` Its postmortem: pavior postmortem show ${name}` : ''}`))
}

function wantsPostmortem({ spec }: Incident): boolean {
  return spec.postmortem ?? (spec.severity === 'sev1' || spec.severity === 'sev2')
}

/** People type it in lower case. */
function stateOf(text: string): string {
  const found = incidentStates.find((state) => state.toLowerCase() === text.toLowerCase())
  if (!found) throw fail('BAD_REQUEST', { message: `"${text}" is no state of an incident.`, fix: `Give one of ${incidentStates.join(', ')}.` })
  return found
}

function pathOf(team: string, name: string): string {
  return `/v1/teams/${encodeURIComponent(team)}/incidents/${encodeURIComponent(name)}`
}

function isOver({ status }: Incident): boolean {
  return over.has(status?.state ?? '')
}

function byUrgency(one: Incident, other: Incident): number {
  const since = ({ metadata, status }: Incident): string => status?.detectedAt ?? metadata.creationTimestamp
  return Number(isOver(one)) - Number(isOver(other)) || (isOver(one) ? 0 : one.spec.severity.localeCompare(other.spec.severity)) || since(other).localeCompare(since(one))
}

function row({ metadata, spec, status }: Incident): string[] {
  return [metadata.name, spec.severity, status?.state ?? 'Investigating', spec.app ?? '-', spec.roles?.commander ?? '-', status?.detectedAt === undefined ? '-' : shownTime(status.detectedAt), spec.title]
}

function who(actor: string | undefined): string {
  return actor?.replace(/^(user|token|system):/, '') ?? 'nobody'
}

function shown({ metadata, spec, status = {} }: Incident): string[] {
  const { acknowledged, impact, affected, suspects = [], runbooks = [], alerts, seconds, repeatOf, severityReason, postmortem, published } = status
  const roles = incidentRoles.flatMap((role) => (spec.roles?.[role] === undefined ? [] : [`${role} ${spec.roles[role]}`]))
  const times = [['detected after', seconds?.detect], ['taken after', seconds?.acknowledge], ['well after', seconds?.restore]].flatMap(([label, value]) => (value === undefined ? [] : [`${label} ${spanOf(Number(value))}`]))
  return [
    `${metadata.name}  ${spec.severity}  ${status.state ?? 'Investigating'}`,
    `  ${spec.title}`,
    ...(spec.app === undefined ? [] : [`  app      ${spec.app} in ${spec.environment ?? 'every environment'}`]),
    ...(severityReason === undefined ? [] : [`  why ${spec.severity} ${severityReason}`]),
    `  since    ${shownTime(status.startedAt ?? metadata.creationTimestamp)}${times.length > 0 ? `; ${times.join(', ')}` : ''}`,
    `  with     ${acknowledged ? `${who(acknowledged.by)} since ${shownTime(acknowledged.at)}` : `nobody yet: pavior incident ack ${metadata.name}`}${roles.length > 0 ? `; ${roles.join(', ')}` : ''}`,
    ...(alerts ? [`  alerts   ${alerts.firing} of ${alerts.total} are firing`] : []),
    ...(impact ? [`  impact   ${impact.failed} of ${impact.requests} requests failed, in ${impact.minutes} min`] : []),
    ...(impact?.budgets ?? []).map(({ slo, used }) => `           ${percent(used)} of the error budget of ${slo}`),
    ...(affected && affected.apps.length > 1 ? [`  affected ${affected.apps.map(({ app }) => app).join(', ')}${affected.otherTeams > 0 ? `, and ${affected.otherTeams} of other teams` : ''}`] : []),
    ...(repeatOf ? [`  repeat   like ${repeatOf.name}; ${repeatOf.times} in the 30 days before`] : []),
    ...(published ? [`  public   ${published.text}`] : []),
    ...suspects.slice(0, shownSuspects).flatMap((suspect, index) => suspectText(suspect, index)),
    ...(spec.runbook === undefined || runbooks.length > 0 ? [] : [`  runbook  ${spec.runbook}`]),
    ...runbooks.map(({ name, title, why }) => `  runbook  ${title}. ${why}\n              pavior runbook run ${name}${spec.app === undefined ? '' : ` --set app=${spec.app}`} --incident ${metadata.name}`),
    ...(postmortem === undefined ? [] : [`  learned  pavior postmortem show ${postmortem}`]),
    `  more     pavior incident timeline ${metadata.name}`,
  ]
}

function suspectText({ text, reasons, undo }: IncidentSuspect, index: number): string[] {
  return [`  suspect  ${index + 1}. ${text}`, ...reasons.map((reason) => `              ${reason}`), ...(undo ? [`              undo: ${undo.command}`] : [])]
}

function lineOf({ at, kind, actor, text }: IncidentEntry): string {
  const [first = '', ...rest] = text.split('\n')
  return [`${at.slice(0, 19).replace('T', ' ')}  ${kind.padEnd(13)} ${kind === 'note' || kind === 'update' || kind === 'published' ? `${who(actor)}: ` : ''}${first}`, ...rest.map((line) => `${' '.repeat(35)}${line}`)].join('\n')
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`
}

function spanOf(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  return seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}

function figureText({ days, incidents, bySeverity, detect, acknowledge, restore, postmortems, actions, repeats }: ReliabilityFigures): string {
  const span = ({ count, median, p90 }: SpanFigures): string => (median === undefined || p90 === undefined ? 'nothing known' : `${spanOf(median)} (p90 ${spanOf(p90)}, of ${count})`)
  const severities = incidentSeverities.map((severity) => `${bySeverity[severity]} ${severity}`).join(', ')
  return [
    `${incidents} ${incidents === 1 ? 'incident' : 'incidents'} in ${days} days: ${severities}; ${repeats} of them repeats`,
    `  detect       ${span(detect)}`,
    `  acknowledge  ${span(acknowledge)}`,
    `  restore      ${span(restore)}`,
    `  postmortems  ${postmortems.published} of ${postmortems.required} published`,
    `  actions      ${actions.open} open, ${actions.overdue} of them overdue, ${actions.done} done`,
  ].join('\n')
}
