/** What every message says, in plain lines; each form escapes them for itself. */
import type { Message } from '../../rooms/reliability/notify/ports.ts'

const words: Record<Message['kind'], string> = { Fired: 'fires', Flapping: 'comes and goes', Acknowledged: 'is taken', Resolved: 'is over', Test: 'is a test', Incident: 'goes on' }

/** One line: what, how urgent, where. */
export function titleOf({ kind, severity, summary, by }: Message): string {
  if (kind === 'Incident') return plain(summary, 300)
  if (kind === 'Test') return 'A test of this channel by Pavior: nothing is wrong'
  if (kind === 'Resolved') return `Over: ${summary}`
  if (kind === 'Acknowledged') return `${by ?? 'Somebody'} has it in hand: ${summary}`
  return `${severity === 'page' ? 'Page' : 'Ticket'}${kind === 'Flapping' ? ', comes and goes' : ''}: ${summary}`
}

/** Name and value, as far as there is something to say. */
export function factsOf({ kind, team, app, environment, since, members, affects, runbook, note, name }: Message): [string, string][] {
  return [
    [kind === 'Incident' ? 'Incident' : 'Alert', kind === 'Test' ? 'test' : kind === 'Incident' ? name : `${name} ${words[kind]}`],
    ['Team', team],
    ...(app === undefined ? [] : [['App', environment === undefined ? app : `${app} in ${environment}`] as [string, string]]),
    ['Since', `${since.slice(0, 19).replace('T', ' ')} UTC`],
    ...(members > 1 ? [['Members', String(members)] as [string, string]] : []),
    ...(affects.length > 0 ? [['Affects', affects.slice(0, 10).join(', ') + (affects.length > 10 ? ` and ${affects.length - 10} more` : '')] as [string, string]] : []),
    ...(note === undefined ? [] : [['Note', note] as [string, string]]),
    ...(runbook === undefined ? [] : [['Runbook', runbook] as [string, string]]),
  ]
}

/** One line of text from outside: no control characters, no direction marks, not endless. */
export function plain(text: string, longest: number): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim()
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`
}
