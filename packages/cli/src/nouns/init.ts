/** `init`: makes `git push pavior main` deploy this directory. */
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { addRemote } from '../remote.ts'

export function addInit(program: Command, context: () => Context): void {
  program
    .command('init')
    .description('Add the git remote "pavior", so that `git push pavior main` deploys.')
    .option('-a, --app <name>', 'app (default: from the manifest or the directory)')
    .option('--remote <name>', 'name of the remote', 'pavior')
    .addHelpText('before', 'Example:\n  pavior init && git push pavior main\n')
    .action(({ app: given, remote }: { app?: string; remote: string }) => {
      const here = context()
      const { out, team } = here
      const app = here.app(given)
      const url = addRemote(here, app, remote)
      out.result({ app, team, remote, url }, `git push ${remote} main   deploys ${app} to team ${team}`)
    })
  program
    .command('git-token', { hidden: true })
    .description('Print the token for git.')
    .action(() => void process.stdout.write(context().endpoint.token))
}
