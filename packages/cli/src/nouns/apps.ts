/** Apps and what runs of them: `apps`, `ps`, `scale`, `restart`, `open`, `destroy`. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { fail, type AppSpec, type AppStatus, type InstanceStatus, type Resource } from '@pavior/contract'
import type { Context } from '../context.ts'
import { age, size, table } from '../output.ts'
import { waitFor } from '../wait.ts'

export type App = Resource<AppSpec, AppStatus>

interface AppFlags {
  app?: string
  environment?: string
}

/** The environment that is named, else the only or default one of the app. */
export async function environmentOf({ api, team }: Context, app: App, given: string | undefined): Promise<string> {
  if (given !== undefined) return given
  const known = Object.entries(app.status?.environments ?? {}).flatMap(([name, { preview }]) => (preview ? [] : [name]))
  if (known.length === 1) return known[0]!
  const { spec } = await api.get<Resource<{ defaultEnvironment?: string }>>('teams', undefined, team)
  return spec.defaultEnvironment ?? 'production'
}

export function getApp(context: Context, given: string | undefined): Promise<App> {
  return context.api.get<App>('apps', context.team, context.app(given))
}

export function addApps(program: Command, context: () => Context): void {
  program
    .command('apps')
    .description('List the apps of the team.')
    .option('-A, --all-teams', 'of all teams that you can see')
    .addHelpText('before', 'Example:\n  pavior apps\n')
    .action(async ({ allTeams }: { allTeams?: boolean }) => {
      const { api, out, team } = context()
      const apps = await api.list<App>('apps', allTeams ? undefined : team)
      out.result(apps, () => (apps.length === 0 ? 'No apps yet. Deploy one: cd your-app && pavior deploy' : table(['APP', 'TEAM', 'READY', 'RELEASE', 'URL', 'AGE'], apps.map(appRow))))
    })

  program
    .command('ps')
    .description('Show the instances of an app.')
    .option('-a, --app <name>', 'app (default: from the directory)')
    .addHelpText('before', 'Example:\n  pavior ps --app checkout-api\n')
    .action(async ({ app }: AppFlags) => {
      const here = context()
      const name = here.app(app)
      const { items } = await here.api.json<{ items: (InstanceStatus & { process: string; release: number; environment: string })[] }>({ path: `/v1/teams/${here.team}/apps/${name}/instances` })
      here.out.result(items, () =>
        items.length === 0
          ? `${name} has no instances.`
          : table(
              ['INSTANCE', 'PROCESS', 'RELEASE', 'STATE', 'RESTARTS', 'CPU', 'MEMORY', 'UP'],
              items.map((row) => [row.id, row.process, `v${row.release}`, stateOf(row), String(row.restarts), row.cpuSeconds === undefined ? '-' : `${row.cpuSeconds.toFixed(1)} s`, row.memoryBytes === undefined ? '-' : size(row.memoryBytes), row.startedAt ? age(row.startedAt) : '-']),
            ),
      )
    })

  program
    .command('scale <process=count...>')
    .description('Set how many instances of each process run.')
    .option('-a, --app <name>', 'app (default: from the directory)')
    .option('-e, --environment <name>', 'environment')
    .option('--no-wait', 'do not wait until they are healthy')
    .addHelpText('before', 'Example:\n  pavior scale web=3 worker=1\n')
    .action(async (pairs: string[], flags: AppFlags & { wait: boolean }) => scale(context(), pairs, flags))

  program
    .command('restart')
    .description('Replace every instance of an app, one by one.')
    .option('-a, --app <name>', 'app (default: from the directory)')
    .option('-e, --environment <name>', 'environment')
    .addHelpText('before', 'Example:\n  pavior restart\n')
    .action(async (flags: AppFlags) => {
      const here = context()
      const app = await getApp(here, flags.app)
      const environment = await environmentOf(here, app, flags.environment)
      await here.api.merge('apps', here.team, app.metadata.name, { spec: { restart: { [environment]: new Date().toISOString() } } })
      here.out.result({ app: app.metadata.name, environment }, `${app.metadata.name} restarts in ${environment}, one instance after the other.`)
    })

  program
    .command('open')
    .description('Open the app in the browser.')
    .option('-a, --app <name>', 'app (default: from the directory)')
    .addHelpText('before', 'Example:\n  pavior open\n')
    .action(async ({ app: given }: AppFlags) => {
      const here = context()
      const app = await getApp(here, given)
      const url = Object.values(app.status?.environments ?? {}).find((environment) => environment.url && !environment.preview)?.url
      if (!url) throw fail('NOT_FOUND', { message: `${app.metadata.name} has no address: nothing with a web process was deployed.`, fix: 'Deploy it with `pavior deploy`.' })
      here.out.result({ url }, url)
      const opener = process.platform === 'darwin' ? 'open' : 'xdg-open'
      if (process.stdout.isTTY) spawn(opener, [url], { stdio: 'ignore', detached: true }).on('error', () => {}).unref()
    })

  program
    .command('destroy [app]')
    .description('Delete an app with everything that belongs to it.')
    .option('--confirm <name>', 'name of the app, instead of being asked for it')
    .addHelpText('before', 'Example:\n  pavior destroy checkout-api\n')
    .action(async (given: string | undefined, { confirm }: { confirm?: string }) => {
      const here = context()
      const app = await getApp(here, given)
      const { name } = app.metadata
      const releases = await here.api.list('releases', here.team, `?fieldSelector=spec.app%3D${name}`)
      here.out.progress(`This deletes ${name} of team ${here.team}: ${releases.length} ${releases.length === 1 ? 'release' : 'releases'}, its configuration, instances, routes and history, and its repository here with every branch, if it has one.`)
      const answer = confirm ?? (await ask(`Type the name of the app to confirm: `))
      if (answer !== name) throw fail('BAD_REQUEST', { message: `"${answer}" is not "${name}"; nothing was deleted.`, fix: `Repeat with --confirm ${name}.` })
      await here.api.json({ method: 'DELETE', path: here.api.path('apps', here.team, name), body: { propagationPolicy: 'Foreground' } })
      await waitFor(async () => (await here.api.list<App>('apps', here.team)).every(({ metadata }) => metadata.name !== name), `${name} to be gone`)
      here.out.result({ app: name, deleted: true }, `${name} is deleted.`)
    })
}

function stateOf({ state, crashLoop, asleepSince }: InstanceStatus): string {
  return crashLoop ? `${state} (crash loop)` : asleepSince === undefined ? state : 'asleep'
}

function appRow({ metadata, status }: App): string[] {
  const environments = Object.values(status?.environments ?? {}).filter(({ preview }) => !preview)
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  return [metadata.name, metadata.namespace!, ready?.status === 'True' ? 'yes' : (ready?.reason ?? '-'), environments.map(({ release }) => (release === undefined ? '-' : `v${release}`)).join(' ') || '-', environments.find(({ url }) => url)?.url ?? '-', age(metadata.creationTimestamp)]
}

async function scale(here: Context, pairs: string[], flags: AppFlags & { wait: boolean }): Promise<void> {
  const wanted: Record<string, number> = {}
  for (const pair of pairs) {
    const match = /^([a-z][-a-z0-9]*)=(\d{1,3})$/.exec(pair)
    if (!match) throw fail('BAD_REQUEST', { message: `"${pair}" is not of the form process=count.`, fix: 'For example: pavior scale web=3' })
    wanted[match[1]!] = Number(match[2])
  }
  const app = await getApp(here, flags.app)
  const { name } = app.metadata
  const environment = await environmentOf(here, app, flags.environment)
  const sets = async (): Promise<Resource<any, any>[]> => (await here.api.list<Resource<any, any>>('instancesets', here.team, `?fieldSelector=spec.app%3D${name}`)).filter(({ spec, metadata }) => spec.environment === environment && !metadata.deletionTimestamp)
  const known = new Set((await sets()).map(({ spec }) => spec.process as string))
  const unknown = Object.keys(wanted).find((process) => !known.has(process))
  if (unknown) throw fail('NOT_FOUND', { message: `${name} has no process "${unknown}" in ${environment}.`, fix: known.size > 0 ? `It has: ${[...known].join(', ')}.` : 'Deploy it first.' })
  await here.api.merge('apps', here.team, name, { spec: { scale: { [environment]: wanted } } })
  if (flags.wait) {
    await waitFor(async () => (await sets()).every(({ spec, status, metadata }) => wanted[spec.process] === undefined || (spec.replicas === wanted[spec.process] && status?.observedGeneration === metadata.generation && status.ready === spec.replicas && status.replicas === spec.replicas)), 'the instances to be as wanted')
  }
  here.out.result({ app: name, environment, scale: wanted }, `${name} runs ${Object.entries(wanted).map(([process, count]) => `${process}=${count}`).join(' ')} in ${environment}.`)
}

async function ask(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw fail('BAD_REQUEST', { message: 'This asks before it deletes, and there is no terminal to ask on.', fix: 'Give the name with --confirm.' })
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return (await reader.question(question)).trim()
  } finally {
    reader.close()
  }
}
