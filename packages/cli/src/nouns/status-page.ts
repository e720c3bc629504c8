/** `status-page`: who is told of updates. */
import type { Command } from 'commander'
import type { StatusSubscriber } from '@pavior/contract'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { shownTime } from '../times.ts'

interface PageFlags {
  page: string
}

export function addStatusPage(program: Command, context: () => Context): void {
  const page = program.command('status-page').description('Who is told of the updates of a status page.').addHelpText('before', 'Example:\n  pavior status-page subscribers\n')
  const path = (team: string, { page: name }: PageFlags): string => `/v1/teams/${encodeURIComponent(team)}/statuspages/${encodeURIComponent(name)}/subscribers`
  page
    .command('subscribers')
    .description('List who subscribed. For those who may edit the page: addresses are personal data.')
    .option('--page <name>', 'name of the StatusPage', 'main')
    .addHelpText('before', 'Example:\n  pavior status-page subscribers\n')
    .action(async (flags: PageFlags) => {
      const { api, out, team } = context()
      const { items } = await api.json<{ items: StatusSubscriber[] }>({ path: path(team, flags) })
      out.result(items, () => (items.length === 0 ? 'Nobody subscribed.' : table(['ID', 'KIND', 'ADDRESS', 'STATE', 'SINCE', 'DELIVERED', 'FAILED', 'ANSWER'], items.map(({ id, kind, address, state, since, delivered, failed, answer = '' }) => [id, kind, address, state.toLowerCase(), shownTime(since), String(delivered), String(failed), answer]))))
    })

  page
    .command('add-webhook <url>')
    .description('Post updates to an address that answers a challenge; prints the key that they are signed with.')
    .option('--page <name>', 'name of the StatusPage', 'main')
    .addHelpText('before', 'Example:\n  pavior status-page add-webhook https://hooks.example/pavior\n')
    .action(async (url: string, flags: PageFlags) => {
      const { api, out, team } = context()
      const made = await api.json<{ id: string; signingKey: string }>({ method: 'POST', path: path(team, flags), body: { url } })
      out.result(made, `${made.id} is told of updates. They are signed with ${made.signingKey}, which is not shown again.`)
    })

  page
    .command('erase <id>')
    .description('Delete a subscriber with the address.')
    .option('--page <name>', 'name of the StatusPage', 'main')
    .addHelpText('before', 'Example:\n  pavior status-page erase 0b4f6a52-8d0e-4a38-b1a3-1d2f5c5e7a90\n')
    .action(async (id: string, flags: PageFlags) => {
      const { api, out, team } = context()
      await api.json({ method: 'DELETE', path: `${path(team, flags)}/${encodeURIComponent(id)}` })
      out.result({ erased: id }, 'The address is deleted, and told of nothing any more.')
    })
}
