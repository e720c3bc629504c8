/** `postmortem`: what was learned, and what is done about it. */
import type { Command } from 'commander'
import type { PostmortemSpec, PostmortemStatus, Resource } from '@pavior/contract'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { shownTime } from '../times.ts'

type Postmortem = Resource<PostmortemSpec, PostmortemStatus>

export function addPostmortem(program: Command, context: () => Context): void {
  const postmortem = program.command('postmortem').alias('postmortems').description('What was learned from incidents, and what is done about it.').addHelpText('before', 'Example:\n  pavior postmortem list\n')
  postmortem
    .command('list')
    .description('Postmortems of the team, the newest first.')
    .addHelpText('before', 'Example:\n  pavior postmortem list\n')
    .action(async () => {
      const { api, out, team } = context()
      const found = (await api.list<Postmortem>('postmortems', team)).toSorted((one, other) => other.metadata.creationTimestamp.localeCompare(one.metadata.creationTimestamp))
      out.result(found, () => (found.length === 0 ? 'No postmortems. Closing an incident of sev1 or sev2 drafts one.' : table(['NAME', 'STATE', 'DUE', 'ACTIONS', 'OVERDUE', 'TITLE'], found.map(row))))
    })

  postmortem
    .command('show <name>')
    .description('Print it as Markdown.')
    .addHelpText('before', 'Example:\n  pavior postmortem show inc-12 > inc-12.md\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const found = await api.get<Postmortem>('postmortems', team, name)
      out.result(found, () => markdownOf(found))
    })

  postmortem
    .command('publish <name>')
    .description('Others may learn from it now; it needs a summary and an impact. Change its text with pavior edit postmortem <name>, or in the portal.')
    .addHelpText('before', 'Example:\n  pavior postmortem publish inc-12\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const published = await api.merge<Postmortem>('postmortems', team, name, { spec: { state: 'Published' } })
      const open = (published.spec.actions ?? []).filter(({ state = 'Open' }) => state === 'Open').length
      out.result(published, `The postmortem of ${published.spec.incident} is published; ${open} of its actions ${open === 1 ? 'is' : 'are'} open.`)
    })
}

function row({ metadata, spec, status }: Postmortem): string[] {
  const { open = 0, done = 0, overdue = 0 } = status?.actions ?? {}
  const due = spec.state === 'Published' || status?.dueAt === undefined ? '-' : status.dueAt.slice(0, 10)
  return [metadata.name, spec.state ?? 'Draft', due, `${done} of ${open + done} done`, String(overdue), spec.title]
}

function markdownOf({ spec, status }: Postmortem): string {
  const part = (title: string, text: string | undefined): string[] => (text === undefined || text.trim() === '' ? [] : [`## ${title}`, '', text.trim(), ''])
  const actions = (spec.actions ?? []).map(({ title, owner, due, state = 'Open', link }) => `- [${state === 'Done' ? 'x' : ' '}] ${title}${owner === undefined ? '' : ` (${owner})`}${due === undefined ? '' : `, due ${due}`}${state === 'Dropped' ? ', dropped' : ''}${link === undefined ? '' : ` ${link}`}`)
  return [
    `# ${spec.title}`,
    '',
    `${spec.incident} · ${spec.state ?? 'Draft'}${status?.publishedAt === undefined ? '' : ` since ${shownTime(status.publishedAt)}`}`,
    '',
    ...part('Summary', spec.summary),
    ...part('Impact', spec.impact),
    ...part('Timeline', spec.timeline),
    ...part('Contributing factors', spec.factors),
    ...part('What went well', spec.wentWell),
    ...part('What did not', spec.wentBadly),
    ...part('Actions', actions.join('\n')),
  ].join('\n').trimEnd()
}
