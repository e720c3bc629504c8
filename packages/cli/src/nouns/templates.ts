/** `template`: what golden paths there are, publishing one, and bringing apps to a new version. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { fail } from '@pavior/contract'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { packDirectory } from '../pack.ts'
import { followRun, readTemplate } from './new.ts'
import { questionsOf, type TemplateRow } from './template-types.ts'

interface Fleet {
  template: string
  version: string
  items: { team: string; app: string; version: string; offered: string; behind: boolean; canary: boolean; url?: string }[]
}

interface Published {
  name: string
  version: string
  steps: number
  files: number
  new: boolean
}

interface Upgrade {
  app: string
  template: string
  from: string
  to: string
  changed: boolean
  branch?: string
  diff?: string
  files?: { path: string; change: string }[]
  conflicts?: string[]
}

const collect = (value: string, all: string[]): string[] => [...all, value]

export function addTemplates(program: Command, context: () => Context): void {
  const template = program.command('template').alias('templates').description('Golden paths: what there is, publishing one, upgrading apps.')
  addReading(template, context)
  addPublishing(template, context)
  addLife(template, context)
}

function addReading(template: Command, context: () => Context): void {
  template
    .command('list')
    .description('List the templates.')
    .addHelpText('before', 'Example:\n  pavior template list\n')
    .action(async () => {
      const { api, out } = context()
      const { items } = await api.json<{ items: TemplateRow[] }>({ path: '/v1/templates' })
      out.result({ items }, () => (items.length === 0 ? 'There is no template yet: pavior template publish <directory>' : table(['TEMPLATE', 'VERSION', 'OWNER', 'DESCRIPTION'], items.map(({ name, version, owner, description, deprecated }) => [name, version, owner ?? '-', `${deprecated ? `deprecated${deprecated.deadline ? ` until ${deprecated.deadline}` : ''}: ` : ''}${description ?? ''}`.slice(0, 100)]))))
    })
  template
    .command('show <template>')
    .description('Show questions, steps, versions, and which apps came from it.')
    .addHelpText('before', 'Example:\n  pavior template show node-service\n')
    .action(async (reference: string) => {
      const here = context()
      const details = await readTemplate(here, reference)
      const fleet = await here.api.json<Fleet>({ path: `/v1/templates/${encodeURIComponent(details.name)}/fleet?team=${encodeURIComponent(details.team)}` })
      here.out.result({ ...details, fleet: fleet.items }, () =>
        [
          `${details.team}/${details.name} ${details.version}   ${details.title}`,
          details.description ?? '',
          ...(details.deprecated ? [`deprecated${details.deprecated.deadline ? ` until ${details.deprecated.deadline}` : ''}: ${details.deprecated.message}`] : []),
          ...(details.canary ? [`canary ${details.canary.version} on ${details.canary.apps.join(', ')}`] : []),
          '',
          table(['QUESTION', 'TYPE', 'DEFAULT', ''], questionsOf(details).map(({ name, type, enum: choices, default: fallback, required, description }) => [`${name}${required ? ' *' : ''}`, choices?.join('|') ?? type ?? '-', fallback === undefined ? '-' : JSON.stringify(fallback), description ?? ''])),
          '',
          table(['STEP', 'ACTION'], details.steps.map(({ name, action }) => [name, action])),
          '',
          table(['VERSION', 'SINCE', 'NOTES'], (details.versions ?? []).map(({ version, registeredAt, notes }) => [version, registeredAt.slice(0, 10), notes ?? ''])),
          '',
          fleet.items.length === 0 ? 'No app came from it yet.' : fleetTable(fleet),
        ].join('\n'),
      )
    })
  template
    .command('fleet <template>')
    .description('Show which app is on which version.')
    .addHelpText('before', 'Example:\n  pavior template fleet node-service\n')
    .action(async (reference: string) => {
      const here = context()
      const { name, team } = await readTemplate(here, reference)
      const fleet = await here.api.json<Fleet>({ path: `/v1/templates/${encodeURIComponent(name)}/fleet?team=${encodeURIComponent(team)}` })
      here.out.result(fleet, () => (fleet.items.length === 0 ? 'No app came from it yet.' : fleetTable(fleet)))
    })
}

function fleetTable({ items }: Fleet): string {
  return table(['APP', 'VERSION', 'OFFERED', ''], items.map(({ team, app, version, offered, behind, canary }) => [`${team}/${app}`, version, offered, [behind ? 'behind' : 'up to date', ...(canary ? ['canary'] : [])].join(', ')]))
}

function addPublishing(template: Command, context: () => Context): void {
  for (const [verb, dryRun, description] of [['publish', false, 'Publish a version from a directory or a git repository.'], ['validate', true, 'Check a template: actions, filters, expressions. Nothing is kept.']] as const) {
    template
      .command(`${verb} <source>`)
      .description(description)
      .option('--ref <name>', 'branch or tag, when the source is a git repository')
      .option('--directory <path>', 'directory of the repository that holds template.yaml')
      .option('--canary <team/app>', 'offer it to this app only, until it is promoted; may be repeated', collect, [])
      .addHelpText('before', `Example:\n  pavior template ${verb} ./my-template\n`)
      .action(async (source: string, flags: { ref?: string; directory?: string; canary: string[] }) => {
        const { api, out, team } = context()
        const { directory, search, clean } = materialise(source, flags)
        try {
          const { stream } = await packDirectory(directory)
          for (const [name, value] of Object.entries({ dryRun: dryRun ? 'All' : '', canary: flags.canary.join(',') })) if (value) search.set(name, value)
          const answer = await api.json<Published>({ method: 'POST', path: `/v1/teams/${encodeURIComponent(team)}/templates?${search}`, stream, type: 'application/gzip' })
          out.result(answer, `${answer.name} ${answer.version}: ${answer.files} files, ${answer.steps} steps; ${dryRun ? 'it can be published' : answer.new ? 'published' : 'was here already'}.`)
        } finally {
          clean()
        }
      })
  }
}

/** A directory as it is; a git address as a clone of its own. */
function materialise(source: string, { ref, directory }: { ref?: string; directory?: string }): { directory: string; search: URLSearchParams; clean: () => void } {
  if (existsSync(source)) return { directory: resolve(source, directory ?? '.'), search: new URLSearchParams(), clean: () => {} }
  if (!/^(https?|ssh|git):\/\/|^[\w.-]+@[\w.-]+:/.test(source)) throw fail('NOT_FOUND', { message: `There is no directory ${source}.`, fix: 'Name a directory or the address of a git repository.' })
  const clone = mkdtempSync(join(tmpdir(), 'pavior-template-'))
  const git = spawnSync('git', ['clone', '--quiet', '--depth', '1', ...(ref ? ['--branch', ref] : []), '--', source, clone], { encoding: 'utf8' })
  if (git.status !== 0) {
    rmSync(clone, { recursive: true, force: true })
    throw fail('REPOSITORY_UNREACHABLE', { message: `git could not clone ${source}.`, why: git.stderr?.trim(), fix: 'Check the address, the branch and your access.' })
  }
  const commit = spawnSync('git', ['-C', clone, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).stdout.trim()
  const url = URL.canParse(source) ? Object.assign(new URL(source), { username: '', password: '' }).href : source
  return { directory: join(clone, directory ?? '.'), search: new URLSearchParams({ url, commit, ...(ref ? { ref } : {}) }), clean: () => rmSync(clone, { recursive: true, force: true }) }
}

function addLife(template: Command, context: () => Context): void {
  template
    .command('upgrade [app]')
    .description('Bring an app to a new version of its template: a three-way merge as a branch; main stays as it is.')
    .option('--to <version>', 'version (default: the one that the app is offered)')
    .option('--dry-run', 'show what would change and make no branch')
    .option('--diff', 'print the whole difference')
    .addHelpText('before', 'Example:\n  pavior template upgrade checkout-api --dry-run --diff\n')
    .action(async (given: string | undefined, { to, dryRun, diff }: { to?: string; dryRun?: boolean; diff?: boolean }) => {
      const here = context()
      const { api, out, team } = here
      const app = here.app(given)
      const result = await api.json<Upgrade>({ method: 'POST', path: `/v1/teams/${encodeURIComponent(team)}/apps/${encodeURIComponent(app)}/template-upgrade${dryRun ? '?dryRun=All' : ''}`, body: to ? { version: to } : {} })
      out.result(result, () => describeUpgrade(result, dryRun === true, diff === true))
    })
  template
    .command('resume <run>')
    .description('Let a stopped run go on, for example when the host of its repository is back.')
    .addHelpText('before', 'Example:\n  pavior template resume checkout-api-1f3a9c\n')
    .action(async (run: string) => {
      const here = context()
      await here.api.merge('templateruns', here.team, run, { spec: { resume: randomBytes(6).toString('hex') } })
      const status = await followRun(here, run)
      here.out.result(status, status.url ?? status.repository ?? run)
    })
  template
    .command('cancel <run>')
    .description('Stop a run and take back what it made.')
    .addHelpText('before', 'Example:\n  pavior template cancel checkout-api-1f3a9c\n')
    .action(async (run: string) => {
      const { api, out, team } = context()
      out.result(await api.merge('templateruns', team, run, { spec: { canceled: true } }), `${run} is stopped and taken back.`)
    })
  template
    .command('deprecate <template>')
    .description('Say that no new apps should begin here; --undo takes it back.')
    .option('-m, --message <text>', 'why, and what to use instead', 'It is not kept up any more.')
    .option('--deadline <day>', 'day on which support ends, for example 2027-06-30')
    .option('--replacement <template>', 'template that takes its place')
    .option('--undo', 'it is in use again')
    .addHelpText('before', 'Example:\n  pavior template deprecate old-service --deadline 2027-06-30 --replacement node-service\n')
    .action(async (reference: string, { message, deadline, replacement, undo }: { message: string; deadline?: string; replacement?: string; undo?: boolean }) => {
      const here = context()
      const { team, name } = await readTemplate(here, reference)
      const deprecated = undo ? null : { message, ...(deadline ? { deadline } : {}), ...(replacement ? { replacement } : {}) }
      here.out.result(await here.api.merge('templates', team, name, { spec: { deprecated } }), undo ? `${name} is in use again.` : `${name} is deprecated${deadline ? ` until ${deadline}` : ''}.`)
    })
  template
    .command('promote <template>')
    .description('Make the version that is tried on some apps the one for everybody.')
    .addHelpText('before', 'Example:\n  pavior template promote node-service\n')
    .action(async (reference: string) => {
      const here = context()
      const { team, name, canary } = await readTemplate(here, reference)
      if (!canary) throw fail('BAD_REQUEST', { message: `The template ${name} has no version that is tried.`, fix: 'Publish one with: pavior template publish <directory> --canary <team/app>' })
      const answer = await here.api.json({ method: 'POST', path: `/v1/teams/${encodeURIComponent(team)}/templates/${encodeURIComponent(name)}/promote`, body: {} })
      here.out.result(answer, `${name} ${canary.version} is the version for everybody now.`)
    })
}

function describeUpgrade({ app, template, from, to, changed, branch, diff = '', files = [], conflicts = [] }: Upgrade, dryRun: boolean, whole: boolean): string {
  if (!changed) return from === to ? `${app} is on ${template} ${to} already.` : `${app}: nothing differs between ${from} and ${to}.`
  const marks: Record<string, string> = { added: '+', changed: '~', removed: '-', conflict: '!' }
  const lines = [`${app}: ${template} ${from} → ${to}`, ...files.map(({ path, change }) => `  ${marks[change] ?? ' '} ${path}${change === 'conflict' ? '   both sides changed it' : ''}`)]
  if (whole) lines.push('', diff.trimEnd())
  if (dryRun) lines.push('', 'Nothing was made. Without --dry-run this becomes a branch.')
  else lines.push('', `branch ${branch}`, conflicts.length > 0 ? `${conflicts.length} files have conflicts; they are marked in the branch. Put them right there, then merge:` : 'Merge it when you like it:', `  git fetch pavior ${branch} && git merge pavior/${branch} && git push pavior main`)
  return lines.join('\n')
}
