/** `drift`: what differs between what is declared and what runs. */
import type { Command } from 'commander'
import type { AppDrift, Difference } from '@pavior/contract'
import type { Context } from '../context.ts'
import { table } from '../output.ts'

export function addDrift(program: Command, context: () => Context): void {
  program
    .command('drift [app]')
    .description('What differs between what is declared and what runs, of an app or of all of the team.')
    .addHelpText('before', 'Example:\n  pavior drift checkout-api\n')
    .action(async (given: string | undefined) => {
      const { api, out, team } = context()
      const names = given === undefined ? (await api.list('apps', team)).map(({ metadata }) => metadata.name) : [given]
      const found = await Promise.all(names.map((name) => api.json<AppDrift>({ path: `/v1/teams/${team}/apps/${encodeURIComponent(name)}/drift` })))
      const rows = found.flatMap(({ app, environments }) => environments.flatMap(({ environment, changing, differences }) => differences.map((one) => row(app, environment, changing, one))))
      out.result(given === undefined ? found : found[0], () => (rows.length === 0 ? 'Everything runs as declared.' : table(['APP', 'ENVIRONMENT', 'WHAT', 'FIELD', 'DECLARED', 'RUNNING'], rows)))
    })
}

function row(app: string, environment: string, changing: string | undefined, { what, name, field, declared, running }: Difference): string[] {
  const short = (value: string): string => (value.length > 40 ? `${value.slice(0, 39)}…` : value)
  return [app, changing === undefined ? environment : `${environment} (changing)`, what === name ? what : `${what} ${name}`, field, short(declared), short(running)]
}
