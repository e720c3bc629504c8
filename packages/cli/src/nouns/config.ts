/** `pavior config`: the server's settings; `config set`, `unset`, `list`: an app's configuration. */
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import type { Command } from 'commander'
import { fail, type Resource } from '@pavior/contract'
import { root, type Context } from '../context.ts'
import { table } from '../output.ts'
import { follow } from '../deploy.ts'
import { waitFor } from '../wait.ts'
import { environmentOf, getApp } from './apps.ts'

interface ConfigFlags {
  app?: string
  environment?: string
  wait: boolean
}

interface EffectiveSetting {
  name: string
  value: string
  origin: string
  description: string
}

export function addConfig(program: Command, context: () => Context): void {
  const config = program
    .command('config')
    .description('Configuration of an app; alone, the settings of Pavior on this machine and where each comes from.')
    .addHelpText('before', 'Example:\n  pavior config set LOG_LEVEL=debug FEATURE_X=on\n')
    .action(async () => {
      const here = context()
      const { loadConfig } = (await import(pathToFileURL(join(root, 'dist/up.mjs')).href)) as { loadConfig: (flags: object, environment: NodeJS.ProcessEnv, root: string) => { effective: EffectiveSetting[] } }
      const { effective } = loadConfig({ home: here.flags.home }, here.environment, root)
      here.out.result(effective, () => table(['SETTING', 'VALUE', 'FROM', 'MEANING'], effective.map(({ name, value, origin, description }) => [name, value === '' ? '-' : value, origin, description])))
    })
  const withFlags = (command: Command): Command =>
    command.option('-a, --app <name>', 'app (default: from the directory)').option('-e, --environment <name>', 'environment').option('--no-wait', 'do not wait for the new release')

  withFlags(config.command('set <key=value...>'))
    .description('Set variables; makes a new release.')
    .addHelpText('before', 'Example:\n  pavior config set LOG_LEVEL=debug\n')
    .action(async (pairs: string[], flags: ConfigFlags) => {
      const values = Object.fromEntries(
        pairs.map((pair) => {
          const at = pair.indexOf('=')
          const key = pair.slice(0, at)
          if (at < 1 || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) throw fail('BAD_REQUEST', { message: `"${pair.slice(0, Math.max(at, 0)) || pair}" is not of the form KEY=value.` })
          return [key, pair.slice(at + 1)]
        }),
      )
      await change(context(), flags, values, `set ${Object.keys(values).join(', ')}`)
    })
  withFlags(config.command('unset <key...>'))
    .description('Remove variables; makes a new release.')
    .addHelpText('before', 'Example:\n  pavior config unset FEATURE_X\n')
    .action(async (keys: string[], flags: ConfigFlags) => change(context(), flags, Object.fromEntries(keys.map((key) => [key, null])), `removed ${keys.join(', ')}`))
  withFlags(config.command('list'))
    .description('Show the variables that were set.')
    .addHelpText('before', 'Example:\n  pavior config list\n')
    .action(async (flags: ConfigFlags) => {
      const here = context()
      const app = await getApp(here, flags.app)
      const environment = await environmentOf(here, app, flags.environment)
      const values = app.spec.config?.[environment] ?? {}
      here.out.result(values, () => Object.entries(values).map(([key, value]) => `${key}=${value}`).join('\n') || `${app.metadata.name} has no configuration in ${environment}.`)
    })
}

async function change(here: Context, flags: ConfigFlags, values: Record<string, string | null>, done: string): Promise<void> {
  const { api, team, out } = here
  const app = await getApp(here, flags.app)
  const { name } = app.metadata
  const environment = await environmentOf(here, app, flags.environment)
  const before = app.status?.environments?.[environment]
  const changed = await api.merge<Resource>('apps', team, name, { spec: { config: { [environment]: values } } })
  const wrote = changed.metadata.generation !== app.metadata.generation
  if (!wrote || !flags.wait || before?.release === undefined) {
    out.result({ app: name, environment, changed: wrote }, wrote ? `${name}: ${done} in ${environment}.` : `${name}: nothing to change in ${environment}.`)
    return
  }
  const deployment = await newDeployment(here, name, environment, before.deployment!, changed.metadata.generation)
  if (!deployment) {
    out.result({ app: name, environment, changed: true }, `${name}: ${done} in ${environment}; it takes effect with the next deploy.`)
    return
  }
  out.progress(`${name} → ${team}/${environment}`)
  const { result, error } = await follow(api, out, `/v1/teams/${team}/deployments/${deployment}/progress`, {})
  if (error) throw Object.assign(fail(error.code, error))
  out.result({ app: name, environment, changed: true, release: result?.release }, `${name}: ${done} in ${environment}, ${result?.release}.`)
}

/** The deployment that the change made; undefined when the app has been looked at and none was. */
async function newDeployment({ api, team }: Context, app: string, environment: string, before: string, generation: number): Promise<string | undefined> {
  let found: string | undefined
  await waitFor(async () => {
    const { status } = await api.get<Resource<unknown, { observedGeneration?: number; environments?: Record<string, { deployment?: string }> }>>('apps', team, app)
    const newest = status?.environments?.[environment]?.deployment
    if (newest !== undefined && newest !== before) found = newest
    return found !== undefined || (status?.observedGeneration ?? 0) >= generation + 1
  }, 'the new release')
  return found
}
