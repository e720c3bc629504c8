/** `previews`: environments that come and go with branches. */
import { spawn } from 'node:child_process'
import type { Command } from 'commander'
import { fail, type EnvironmentSpec, type EnvironmentStatus, type EnvironmentUse, type Resource } from '@pavior/contract'
import type { Context } from '../context.ts'
import { age, seconds, table } from '../output.ts'

type Environment = Resource<EnvironmentSpec, EnvironmentStatus>

interface Flags {
  app?: string
}

const app = ['-a, --app <name>', 'app (default: from the directory)'] as const

export function addPreviews(program: Command, context: () => Context): void {
  const previews = program.command('previews').description('Environments that come and go with branches.').addHelpText('before', 'Example:\n  pavior previews list\n')
  previews
    .command('list')
    .description('List the previews of the team, or of one app.')
    .option('-a, --app <name>', 'only of this app')
    .addHelpText('before', 'Example:\n  pavior previews list --app checkout-api\n')
    .action(async (flags: Flags) => {
      const { out } = context()
      const found = await previewsOf(context(), flags.app)
      out.result(found, () => (found.length === 0 ? 'No previews. Put `previews: {}` into pavior.yaml, deploy main, and push a branch.' : table(['APP', 'BRANCH', 'STATE', 'URL', 'ENDS IN', 'SPIN-UP', 'CPU', 'AWAKE', 'ASLEEP'], found.map(row))))
    })

  previews
    .command('open <branch>')
    .description('Open the preview of a branch in the browser.')
    .option(...app)
    .addHelpText('before', 'Example:\n  pavior previews open search-box\n')
    .action(async (branch: string, flags: Flags) => {
      const { out } = context()
      const { metadata, status } = await mustFind(context(), flags, branch)
      const url = status?.preview?.url
      if (!url) throw fail('NOT_FOUND', { message: `The preview ${metadata.name} has no address yet.`, fix: `See \`pavior get deployments\`.` })
      out.result({ url }, url)
      if (process.stdout.isTTY) spawn(process.platform === 'darwin' ? 'open' : 'xdg-open', [url], { stdio: 'ignore', detached: true }).on('error', () => {}).unref()
    })

  previews
    .command('keep <branch>')
    .description('Keep a preview for some days, whatever happens.')
    .option(...app)
    .option('--days <days>', 'how many', '7')
    .addHelpText('before', 'Example:\n  pavior previews keep search-box --days 14\n')
    .action(async (branch: string, flags: Flags & { days: string }) => {
      const { api, out, team } = context()
      const name = context().app(flags.app)
      const kept = await api.json<Environment>({ method: 'POST', path: `/v1/teams/${team}/apps/${name}/previews/keep`, body: { branch, days: Number(flags.days) } })
      out.result(kept, `The preview of ${kept.spec.preview!.branch} stays until ${kept.spec.preview!.keepUntil}.`)
    })

  for (const verb of ['sleep', 'wake'] as const) {
    previews
      .command(`${verb} <branch>`)
      .description(verb === 'sleep' ? 'Freeze the instances of a preview now; its next request wakes them.' : 'Wake a preview.')
      .option(...app)
      .addHelpText('before', `Example:\n  pavior previews ${verb} search-box\n`)
      .action(async (branch: string, flags: Flags) => {
        const { api, out, team } = context()
        const { metadata, spec } = await mustFind(context(), flags, branch)
        const path = `/v1/teams/${team}/apps/${spec.preview!.app}/environments/${metadata.name}/${verb}`
        out.result(await api.json({ method: 'POST', path }), verb === 'sleep' ? `The preview of ${spec.preview!.branch} sleeps until somebody asks for it.` : `The preview of ${spec.preview!.branch} is awake.`)
      })
  }

  previews
    .command('delete <branch>')
    .description('Delete a preview with everything of it; the branch stays.')
    .option(...app)
    .addHelpText('before', 'Example:\n  pavior previews delete search-box\n')
    .action(async (branch: string, flags: Flags) => {
      const { api, out, team } = context()
      const name = context().app(flags.app)
      const gone = await api.json<Environment>({ method: 'DELETE', path: `/v1/teams/${team}/apps/${name}/previews?${new URLSearchParams({ branch })}` })
      out.result(gone, `The preview of ${gone.spec.preview!.branch} is deleted: its instances, routes, configuration and releases.`)
    })
}

async function previewsOf({ api, team }: Context, name: string | undefined): Promise<Environment[]> {
  const environments = await api.list<Environment>('environments', team)
  return environments.filter(({ spec }) => spec.preview && (name === undefined || spec.preview.app === name))
}

async function mustFind(here: Context, flags: Flags, branch: string): Promise<Environment> {
  const name = here.app(flags.app)
  const found = (await previewsOf(here, name)).find(({ metadata, spec }) => spec.preview!.branch === branch || metadata.name === branch)
  if (!found) throw fail('NOT_FOUND', { message: `${name} has no preview of a branch "${branch}".`, fix: `See \`pavior previews list --app ${name}\`.` })
  return found
}

function row({ spec, status }: Environment): string[] {
  const { app: name, branch } = spec.preview!
  const { url = '-', phase = 'Pending', asleep, expiresAt, spinUpMs, use } = status?.preview ?? {}
  const left = expiresAt === undefined ? '-' : age(new Date().toISOString(), Date.parse(expiresAt))
  return [name, branch, asleep ? 'asleep' : phase === 'Succeeded' ? 'awake' : phase, url, left, spinUpMs === undefined ? '-' : seconds(spinUpMs), ...costs(use)]
}

function costs(use: EnvironmentUse | undefined): string[] {
  return use ? [`${use.cpuSeconds.toFixed(1)} s`, `${(use.awakeGibSeconds / 3600).toFixed(2)} GiB h`, `${(use.asleepGibSeconds / 3600).toFixed(2)} GiB h`] : ['-', '-', '-']
}
