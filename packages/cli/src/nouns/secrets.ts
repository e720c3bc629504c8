/** `secrets`: values that apps get and nobody reads. No command prints one. */
import { fail, secretName, type NewSecretVersion, type RekeyProgress, type Resource, type SecretAccess, type SecretSpec, type SecretStatus } from '@pavior/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { age, table } from '../output.ts'
import { readNewValue } from '../secret-value.ts'
import { shownTime } from '../times.ts'

export type Secret = Resource<SecretSpec, SecretStatus>

interface ScopeFlags {
  app?: string
  environment?: string[]
}

interface ValueFlags extends ScopeFlags {
  as?: 'env' | 'file'
  previews?: boolean
  description?: string
  expires?: string
  rotateEvery?: string
  fromFile?: string
  generate?: boolean
  rollout: boolean
  wait: boolean
}

export function addSecrets(program: Command, context: () => Context): void {
  const secrets = program.command('secrets').description('Secrets of apps: stored sealed, given to apps, printed by nothing.').addHelpText('before', 'Example:\n  pavior secrets set DATABASE_URL --app checkout-api < url.txt\n')
  const scoped = (command: Command): Command =>
    command.option('-a, --app <name>', 'only for this app (default: every app of the team)').option('-e, --environment <name...>', 'only in these environments (default: all but previews)')
  const valued = (command: Command): Command =>
    scoped(command)
      .option('--from-file <path>', 'take the value from this file')
      .option('--generate', 'make a random value that nobody sees')
      .option('--no-rollout', 'only store it; `pavior secrets rotate --stored` brings it out')
      .option('--no-wait', 'do not wait until it serves')

  valued(secrets.command('set <key>'))
    .description('Set a secret. The value comes from standard input, or is asked for.')
    .option('--as <form>', 'env, or file: the app finds its path in <KEY>_FILE')
    .option('--previews', 'give it to previews too')
    .option('--description <text>', 'what it is for')
    .option('--expires <date>', 'when it ends, for example 2027-01-31')
    .option('--rotate-every <days>', 'days after which a new version is due')
    .addHelpText('before', 'Example:\n  pavior secrets set DATABASE_URL --app checkout-api < url.txt\n')
    .action(async (key: string, flags: ValueFlags) => set(context(), key, flags))
  valued(secrets.command('rotate <key>'))
    .description('Bring out a new version of a secret that is there; it is tried with one instance first.')
    .option('--stored', 'the newest version that was stored with --no-rollout')
    .addHelpText('before', 'Example:\n  pavior secrets rotate API_KEY --app checkout-api --generate\n')
    .action(async (key: string, flags: ValueFlags & { stored?: boolean }) => rotate(context(), key, flags))
  scoped(secrets.command('rollback <key>'))
    .description('Put an earlier version in force again.')
    .option('--to <version>', 'number of the version (default: the one before)')
    .option('--no-wait', 'do not wait until it serves')
    .addHelpText('before', 'Example:\n  pavior secrets rollback API_KEY --app checkout-api\n')
    .action(async (key: string, { to, wait, ...scope }: ScopeFlags & { to?: string; wait: boolean }) => {
      const here = context()
      await use(here, await find(here, key, scope), to === undefined ? 'previous' : numberOf(to), wait)
    })
  scoped(secrets.command('revoke <key> <version>'))
    .description('Destroy the value of a version for good.')
    .addHelpText('before', 'Example:\n  pavior secrets revoke API_KEY 3 --app checkout-api\n')
    .action(async (key: string, version: string, scope: ScopeFlags) => {
      const here = context()
      const { metadata } = await find(here, key, scope)
      const changed = await here.api.json<Secret>({ method: 'POST', path: `${pathOf(here, metadata.name)}/versions/${numberOf(version)}/revoke`, body: {} })
      here.out.result(changed, `Version ${numberOf(version)} of ${metadata.name} is revoked; its value is destroyed.`)
    })
  scoped(secrets.command('remove <key>'))
    .description('Remove a secret with all its versions; apps get a release without it.')
    .option('--yes', 'do not ask')
    .addHelpText('before', 'Example:\n  pavior secrets remove API_KEY --app checkout-api --yes\n')
    .action(async (key: string, { yes, ...scope }: ScopeFlags & { yes?: boolean }) => remove(context(), key, scope, yes === true))
  addQuestions(secrets, scoped, context)
}

function addQuestions(secrets: Command, scoped: (command: Command) => Command, context: () => Context): void {
  scoped(secrets.command('list'))
    .description('List secrets: where they are given out, how old they are, when they end.')
    .addHelpText('before', 'Example:\n  pavior secrets list\n')
    .action(async (scope: ScopeFlags) => {
      const { api, out, team } = context()
      const items = (await api.list<Secret>('secrets', team)).filter((secret) => fits(secret, scope))
      const rows = items.map(({ metadata, spec, status }) => [spec.key, spec.app ?? 'all', whereText(spec), spec.as ?? 'env', status?.version === undefined ? 'none' : `v${status.version}`, ageOf(status), stateOf(status), metadata.name])
      out.result({ items }, () => (rows.length === 0 ? 'There are no secrets. Set one: pavior secrets set DATABASE_URL' : table(['KEY', 'APP', 'ENVIRONMENTS', 'AS', 'VERSION', 'AGE', 'STATE', 'NAME'], rows)))
    })
  scoped(secrets.command('versions <key>'))
    .description('List the versions of a secret.')
    .addHelpText('before', 'Example:\n  pavior secrets versions API_KEY --app checkout-api\n')
    .action(async (key: string, scope: ScopeFlags) => {
      const here = context()
      const { metadata, status } = await find(here, key, scope)
      const items = (status?.versions ?? []).toReversed()
      here.out.result({ name: metadata.name, items, rotation: status?.rotation }, () => [table(['VERSION', 'STATE', 'AT', 'BY'], items.map(({ version, state, at, by }) => [`v${version}`, state, shownTime(at), by])), ...(status?.rotation ? ['', status.rotation.message] : [])].join('\n'))
    })
  scoped(secrets.command('access <key>'))
    .description('Who set, brought out or revoked it, and which apps were given which version.')
    .addHelpText('before', 'Example:\n  pavior secrets access API_KEY --app checkout-api\n')
    .action(async (key: string, scope: ScopeFlags) => {
      const here = context()
      const { metadata } = await find(here, key, scope)
      const { items } = await here.api.json<{ items: SecretAccess[] }>({ path: `${pathOf(here, metadata.name)}/access` })
      here.out.result({ items }, () => table(['AT', 'ACTION', 'VERSION', 'WHO', 'APP', 'ENVIRONMENT', 'READER'], items.map(({ at, action, version, actor, app, environment, reader }) => [shownTime(at), action, `v${version}`, actor, app ?? '-', environment ?? '-', reader ?? '-'])))
    })
  secrets
    .command('rekey')
    .description('Change the master key: every version is wrapped with a new one. For administrators of the platform.')
    .addHelpText('before', 'Example:\n  pavior secrets rekey\n')
    .action(async () => {
      const { api, out } = context()
      let last: RekeyProgress | undefined
      for await (const record of api.lines<RekeyProgress & { error?: Parameters<typeof fail>[1] & { code: Parameters<typeof fail>[0] } }>({ method: 'POST', path: '/v1/secrets/rekey', body: {} })) {
        if (record.error) throw fail(record.error.code, record.error)
        last = record
        out.live(`${record.wrapped} wrapped, ${record.remaining} to go`)
      }
      out.result(last, `${last?.wrapped ?? 0} versions are wrapped with the master key ${last?.key}.`)
    })
}

async function set(here: Context, given: string, flags: ValueFlags): Promise<void> {
  const { api, team, out } = here
  const at = given.indexOf('=')
  const key = at < 0 ? given : given.slice(0, at)
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) throw fail('BAD_REQUEST', { message: 'The name of a secret is a variable such as DATABASE_URL.' })
  if (at >= 0) out.progress('The value stands in the history of your shell now, and others on this machine may have seen it. Better: pavior secrets set NAME, and type it.')
  const spec: SecretSpec = { key, ...settingsOf(flags), ...(flags.app === undefined ? {} : { app: flags.app }), ...(flags.environment === undefined ? {} : { environments: flags.environment }) }
  const name = secretName(spec)
  const value = await readNewValue(out, key, flags, at < 0 ? undefined : given.slice(at + 1))
  const known = (await api.list<Secret>('secrets', team)).find(({ metadata }) => metadata.name === name)
  if (!known) await api.json({ method: 'POST', path: api.path('secrets', team), body: { metadata: { name }, spec } })
  else if (Object.keys(settingsOf(flags)).length > 0) await api.merge('secrets', team, name, { spec: settingsOf(flags) })
  await send(here, name, value, flags)
}

async function rotate(here: Context, key: string, flags: ValueFlags & { stored?: boolean }): Promise<void> {
  const { metadata } = await find(here, key, flags)
  if (flags.stored) return use(here, { metadata }, 'newest', flags.wait)
  await send(here, metadata.name, await readNewValue(here.out, key, flags, undefined), flags)
}

function settingsOf({ as, previews, description, expires, rotateEvery }: ValueFlags): Partial<SecretSpec> {
  if (as !== undefined && as !== 'env' && as !== 'file') throw fail('BAD_REQUEST', { message: '--as is env or file.' })
  if (expires !== undefined && Number.isNaN(Date.parse(expires))) throw fail('BAD_REQUEST', { message: `"${expires}" is no date.`, fix: 'Give one such as 2027-01-31.' })
  return {
    ...(as === undefined ? {} : { as }),
    ...(previews ? { previews } : {}),
    ...(description === undefined ? {} : { description }),
    ...(expires === undefined ? {} : { expiresAt: new Date(expires).toISOString() }),
    ...(rotateEvery === undefined ? {} : { rotateEveryDays: numberOf(rotateEvery) }),
  }
}

async function send(here: Context, name: string, value: Pick<NewSecretVersion, 'value' | 'encoding'>, { rollout, wait }: ValueFlags): Promise<void> {
  const body: NewSecretVersion = { ...value, ...(rollout ? {} : { store: true }) }
  const stored = await here.api.json<Secret>({ method: 'POST', path: `${pathOf(here, name)}/versions`, body })
  const version = stored.status!.versions!.at(-1)!.version
  if (!rollout) return here.out.result(stored, `Version ${version} of ${name} is stored. Bring it out: pavior secrets rotate ${stored.spec.key}${scopeText(stored.spec)} --stored`)
  await follow(here, stored, wait)
}

async function use(here: Context, { metadata }: Pick<Secret, 'metadata'>, version: number | 'previous' | 'newest', wait: boolean): Promise<void> {
  await follow(here, await here.api.json<Secret>({ method: 'POST', path: `${pathOf(here, metadata.name)}/use`, body: { version } }), wait)
}

/** Until the version serves everywhere; a later one takes its place. */
async function follow(here: Context, begun: Secret, wait: boolean): Promise<void> {
  const { out } = here
  const { name } = begun.metadata
  const { version, startedAt } = begun.status!.rotation!
  if (!wait) return out.result(begun, `Version ${version} of ${name} is in force and is brought out.`)
  out.progress(`${name} → v${version}`)
  let told = ''
  for await (const secret of changesOf(here, name)) {
    const { rotation } = secret.status!
    if (rotation?.startedAt !== startedAt) return out.result(secret, `Version ${rotation?.version} of ${name} was put in force meanwhile and goes first.`)
    const lines = rotation.targets.map(({ app, environment, state, deployment }) => `  ${app} → ${environment}   ${state}${deployment === undefined ? '' : `   ${deployment}`}`).join('\n')
    if (lines !== told && lines !== '') out.progress((told = lines))
    const refused = rotation.targets.find(({ state }) => state === 'refused')
    if (refused && rotation.targets.every(({ state }) => state !== 'pending' && state !== 'underway')) throw fail('POLICY_DENIED', { message: `Version ${version} of ${name} is not brought out yet to ${refused.app} in ${refused.environment}.`, why: refused.message ?? '', state: 'It is in force, and brought out as soon as the rule lets it.' })
    const watched = rotation.targets.some(({ state }) => state === 'watched') && !rotation.targets.some(({ state }) => state === 'pending' || state === 'underway')
    if (rotation.phase === 'Succeeded' || (rotation.phase === 'RollingOut' && watched)) return out.result(secret, `${name}: ${rotation.message}`)
    if (rotation.phase !== 'RollingOut') throw fail('CANARY_FAILED', { message: `Version ${version} of ${name} was taken back.`, why: rotation.message, fix: `Set a value that works. pavior secrets versions ${secret.spec.key}${scopeText(secret.spec)} shows where it stands.`, state: 'Apps run with the version before.' })
  }
}

/** The secret as it is and whenever it changes; a watch that the server ends is begun again. */
async function* changesOf({ api, team }: Context, name: string): AsyncGenerator<Secret> {
  for (;;) {
    for await (const { type, object } of api.lines<{ type: string; object: Secret }>({ path: `${api.path('secrets', team)}?watch=true&fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}` })) {
      if (type === 'DELETED') throw fail('NOT_FOUND', { message: `The secret ${name} was removed meanwhile.` })
      if (type === 'ADDED' || type === 'MODIFIED') yield object
    }
  }
}

async function remove(here: Context, key: string, scope: ScopeFlags, yes: boolean): Promise<void> {
  const { api, team, out } = here
  const { metadata } = await find(here, key, scope)
  if (!yes) throw fail('BAD_REQUEST', { message: `${metadata.name} would be removed with all its versions, and apps would get a release without ${key}.`, fix: 'Say --yes when that is what you want.' })
  await api.json({ method: 'DELETE', path: api.path('secrets', team, metadata.name) })
  out.result({ removed: metadata.name }, `Removed ${metadata.name}. Its values are destroyed when no app runs with them any more.`)
}

/** By key and scope; by its full name too. */
async function find({ api, team }: Context, key: string, scope: ScopeFlags): Promise<Secret> {
  const found = (await api.list<Secret>('secrets', team)).filter((secret) => (secret.spec.key === key && fits(secret, scope)) || secret.metadata.name === key)
  if (found.length === 1) return found[0]!
  if (found.length === 0) throw fail('NOT_FOUND', { message: `Team ${team} has no secret ${key}${scope.app === undefined ? '' : ` of ${scope.app}`}.`, fix: `Set it: pavior secrets set ${key}${scope.app === undefined ? '' : ` --app ${scope.app}`}` })
  throw fail('BAD_REQUEST', { message: `${key} is the key of ${found.length} secrets: ${found.map(({ metadata }) => metadata.name).join(', ')}.`, fix: 'Say which with --app and --environment, or by its name.' })
}

function fits({ spec }: Secret, { app, environment }: ScopeFlags): boolean {
  return (app === undefined || spec.app === app) && (environment === undefined || environment.every((name) => spec.environments?.includes(name)))
}

function scopeText({ app, environments }: SecretSpec): string {
  return `${app === undefined ? '' : ` --app ${app}`}${environments?.length ? ` --environment ${environments.join(' ')}` : ''}`
}

function whereText({ environments, previews }: SecretSpec): string {
  if (environments === undefined) return previews ? 'all' : 'all but previews'
  return [...environments, ...(previews ? ['previews'] : [])].join(', ') || 'none'
}

function ageOf(status: SecretStatus | undefined): string {
  const at = status?.versions?.find(({ version }) => version === status.version)?.at
  return at === undefined ? '-' : age(at)
}

function stateOf(status: SecretStatus | undefined): string {
  if (status?.rotation?.phase === 'RollingOut') return `rolling out v${status.rotation.version}`
  if (status?.problem) return status.problem.code
  const fresh = status?.conditions?.find(({ type }) => type === 'Fresh')
  if (fresh?.status === 'False') return fresh.reason
  return status?.rotation?.phase === 'Reverted' ? `v${status.rotation.version} was taken back` : 'fresh'
}

function numberOf(text: string): number {
  const number = Number(text.replace(/^v/, ''))
  if (!Number.isInteger(number) || number < 1) throw fail('BAD_REQUEST', { message: `"${text}" is no whole number above 0.` })
  return number
}

function pathOf({ team }: Context, name: string): string {
  return `/v1/teams/${encodeURIComponent(team)}/secrets/${encodeURIComponent(name)}`
}
