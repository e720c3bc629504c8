/** The draft of a postmortem from what an incident knows of itself: facts filled in, questions where only people know. Pure. */
import type { IncidentEntry, IncidentSeverity, PostmortemAction, PostmortemSpec, PostmortemStatus } from '@pavior/contract'
import { shownActor, spanText } from '../incidents/suspects.ts'
import type { Incident } from '../incidents/types.ts'

/** Days until it should be published. */
const dueDays = 5
const dayMs = 24 * 3600_000
const shownSuspects = 3
/** What is less likely is left to the page of the incident. */
const leastLikelihood = 0.45
const mostLines = 400
const required: ReadonlySet<IncidentSeverity> = new Set(['sev1', 'sev2'])
const leftOutKinds = new Set<IncidentEntry['kind']>(['evidence'])

export function isRequired({ spec }: Pick<Incident, 'spec'>): boolean {
  return required.has(spec.severity)
}

export function isWanted(incident: Incident): boolean {
  return incident.status?.state === 'Closed' && (incident.spec.postmortem ?? isRequired(incident))
}

export function dueAt({ status }: Incident): string | undefined {
  return status?.closedAt === undefined ? undefined : new Date(Date.parse(status.closedAt) + dueDays * dayMs).toISOString()
}

export function draftOf(incident: Incident, entries: readonly IncidentEntry[]): PostmortemSpec {
  return {
    incident: incident.metadata.name,
    title: incident.spec.title,
    state: 'Draft',
    summary: summaryOf(incident),
    impact: impactOf(incident),
    timeline: timelineOf(entries),
    factors: factorsOf(incident),
    wentWell: '_What helped us to see it, to understand it, or to end it?_\n',
    wentBadly: '_What made it harder than it had to be? Speak of systems and of what people could know then, not of who did what._\n',
    actions: [],
  }
}

/** Nothing in it is read as Markdown or HTML: it comes from commits, chats and logs. */
export function plain(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().replaceAll(/[\\`*_[\]<>#|~!]/g, '\\$&')
}

function summaryOf({ spec, status = {} }: Incident): string {
  const where = spec.app === undefined ? '' : ` in ${spec.app}${spec.environment === undefined ? '' : `, ${spec.environment}`}`
  const lasted = status.startedAt !== undefined && status.resolvedAt !== undefined ? ` It lasted ${spanText(Date.parse(status.resolvedAt) - Date.parse(status.startedAt))}, from ${minuteText(status.startedAt)} to ${minuteText(status.resolvedAt)}.` : ''
  const again = status.repeatOf ? ` It was like ${status.repeatOf.name} before it, ${status.repeatOf.times} ${status.repeatOf.times === 1 ? 'time' : 'times'} in 30 days.` : ''
  return `${plain(spec.title)}${/[.!?]$/.test(spec.title) ? '' : '.'} ${spec.severity}${where}.${lasted}${again}\n\n_What happened, in three sentences for somebody who was not there?_\n`
}

function impactOf({ status = {} }: Incident): string {
  const { impact, affected, seconds } = status
  const lines = [
    ...(impact ? [`${impact.failed} of ${impact.requests} requests failed, in ${impact.minutes} ${impact.minutes === 1 ? 'minute' : 'minutes'}.`] : []),
    ...(impact?.budgets ?? []).map(({ slo, used }) => `${percent(used)} of the error budget of ${slo} went.`),
    ...(affected && affected.apps.length > 1 ? [`Affected: ${affected.apps.map(({ app }) => app).join(', ')}.`] : []),
    ...(affected && affected.otherTeams > 0 ? [`${affected.otherTeams} ${affected.otherTeams === 1 ? 'app' : 'apps'} of other teams call it.`] : []),
    ...(seconds ? [timesText(seconds)] : []),
  ]
  return `${lines.map((line) => `- ${line}`).join('\n')}\n\n_Whom did it hurt, and how did they notice?_\n`
}

function timesText({ detect, acknowledge, restore }: NonNullable<NonNullable<Incident['status']>['seconds']>): string {
  const parts = [...(detect === undefined ? [] : [`detected after ${spanText(detect * 1000)}`]), ...(acknowledge === undefined ? [] : [`taken ${spanText(acknowledge * 1000)} later`]), ...(restore === undefined ? [] : [`users were well ${spanText(restore * 1000)} after it was detected`])]
  const text = parts.join(', ')
  return text === '' ? 'Nobody took it.' : `${text[0]!.toUpperCase()}${text.slice(1)}.`
}

function timelineOf(entries: readonly IncidentEntry[]): string {
  const shown = entries.filter(({ kind }) => !leftOutKinds.has(kind))
  const lines = shown.slice(0, mostLines).map(({ at, actor, kind, text }) => `- **${minuteText(at)}** ${kind === 'note' || kind === 'update' ? `${plain(shownActor(actor))}: ` : ''}${plain(text)}`)
  return `${[...lines, ...(shown.length > mostLines ? [`- ${shown.length - mostLines} more are in the timeline of the incident.`] : [])].join('\n')}\n`
}

function factorsOf({ status }: Incident): string {
  const suspects = (status?.suspects ?? []).filter(({ likelihood }) => likelihood >= leastLikelihood).slice(0, shownSuspects)
  const lines = suspects.map(({ text, reasons }) => `- ${plain(text)} ${reasons.map(plain).join(' ')}`)
  return `${lines.length === 0 ? '' : `What the platform found, to be judged by people:\n\n${lines.join('\n')}\n\n`}_What had to come together so that it could happen? What made the change look safe at that time?_\n`
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`
}

function minuteText(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`
}

/** What stands in the status of a postmortem, by what people wrote and the day. */
export function standingOf(spec: PostmortemSpec, before: PostmortemStatus | undefined, incident: Incident | undefined, generation: number, now: Date): { status: PostmortemStatus; overdue: PostmortemAction[] } {
  const actions = spec.actions ?? []
  const open = actions.filter(({ state = 'Open' }) => state === 'Open')
  const late = open.filter(({ due }) => due !== undefined && due < now.toISOString().slice(0, 10))
  const told = new Set(before?.told ?? [])
  const due = incident && isRequired(incident) ? dueAt(incident) : undefined
  return {
    overdue: late.filter((action) => !told.has(actionKey(action))),
    status: {
      ...(before?.conditions ? { conditions: before.conditions } : {}),
      ...(incident ? { severity: incident.spec.severity, required: isRequired(incident) } : { ...(before?.severity ? { severity: before.severity } : {}), ...(before?.required === undefined ? {} : { required: before.required }) }),
      ...(due === undefined ? {} : { dueAt: due }),
      ...(spec.state === 'Published' ? { publishedAt: before?.publishedAt ?? now.toISOString() } : before?.publishedAt === undefined ? {} : { publishedAt: before.publishedAt }),
      actions: { open: open.length, done: actions.filter(({ state }) => state === 'Done').length, overdue: late.length },
      ...(late.length > 0 ? { told: late.map(actionKey) } : {}),
      observedGeneration: generation,
    },
  }
}

/** Another owner or day is told again. */
export function actionKey({ title, owner = '', due = '' }: PostmortemAction): string {
  return `${due} ${owner} ${title}`
}
