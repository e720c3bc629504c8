/** `gitops`: repositories that declare resources. */
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Command } from 'commander'
import { fail, type ConfigCommit, type ConfigPlan, type ConfigRepoSpec, type ConfigRepoStatus, type Resource } from '@pavior/contract'
import type { Context } from '../context.ts'
import { age, table } from '../output.ts'
import { addRemote } from '../remote.ts'

type ConfigRepo = Resource<ConfigRepoSpec, ConfigRepoStatus>

const largestFile = 256 * 1024

export function addGitops(program: Command, context: () => Context): void {
  const gitops = program.command('gitops').description('Repositories that declare resources of the team.').addHelpText('before', 'Example:\n  pavior gitops status\n')
  gitops
    .command('init <name>')
    .description('Make this directory a repository that declares resources of the team; it is kept here.')
    .option('--remote <remote>', 'name of the remote', 'pavior')
    .addHelpText('before', 'Example:\n  pavior gitops init platform-config && git push pavior main\n')
    .action(async (name: string, { remote }: { remote: string }) => {
      const here = context()
      const { api, out, team } = here
      const known = (await api.list<ConfigRepo>('configrepos', team)).find(({ metadata }) => metadata.name === name)
      if (known && !known.spec.hosted) throw fail('CONFLICT', { message: `The repository ${name} is kept elsewhere: ${known.spec.url}.`, fix: 'Push there, or choose another name.' })
      if (!known) await api.json({ method: 'POST', path: api.path('configrepos', team), body: { metadata: { name }, spec: { hosted: true } } })
      const url = addRemote(here, name, remote)
      out.result({ name, team, remote, url }, `git push ${remote} main   applies what ${name} declares to team ${team}`)
    })

  gitops
    .command('status [name]')
    .description('Show repositories, what became of their commits, and what differs from what they declare.')
    .addHelpText('before', 'Example:\n  pavior gitops status platform-config\n')
    .action(async (name: string | undefined) => {
      const { api, out, team } = context()
      const repos = name === undefined ? await api.list<ConfigRepo>('configrepos', team) : [await api.get<ConfigRepo>('configrepos', team, name)]
      out.result(name === undefined ? repos : repos[0], () => (repos.length === 0 ? 'No repository declares anything here. Make one: pavior gitops init <name>' : repos.map((repo) => describe(repo, name !== undefined)).join('\n\n')))
    })

  gitops
    .command('diff <name> [directory]')
    .description('What a directory, or a branch of the repository, would change. Nothing is applied.')
    .option('--branch <branch>', 'branch of the repository, in place of a directory')
    .addHelpText('before', 'Example:\n  pavior gitops diff platform-config .\n')
    .action(async (name: string, directory: string | undefined, { branch }: { branch?: string }) => {
      const { api, out, team } = context()
      const repo = await api.get<ConfigRepo>('configrepos', team, name)
      const body = branch === undefined ? { files: await readFiles(join(directory ?? '.', repo.spec.path ?? ''), directory ?? '.') } : { branch }
      const plan = await api.json<ConfigPlan>({ method: 'POST', path: `/v1/teams/${team}/configrepos/${name}/diff`, body })
      out.result(plan, () => planText(plan))
      if (plan.errors.length > 0) throw fail('CONFIG_REPO_INVALID', { message: `${plan.errors.length === 1 ? 'One place' : `${plan.errors.length} places`} cannot be applied.`, causes: plan.errors.map(({ file, message }) => ({ field: file, message })) })
    })

  gitops
    .command('sync <name>')
    .description('Look at a repository now, and apply its newest commit.')
    .addHelpText('before', 'Example:\n  pavior gitops sync platform-config\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const entry = await api.json<ConfigCommit>({ method: 'POST', path: `/v1/teams/${team}/configrepos/${name}/sync`, body: {} })
      if (entry.failed > 0) throw fail('CONFIG_REPO_INVALID', { message: `The commit ${entry.commit.slice(0, 10)} cannot be applied: ${entry.errors![0]!.file}: ${entry.errors![0]!.message}`, causes: entry.errors!.map(({ file, message }) => ({ field: file, message })) })
      out.result(entry, `${entry.commit.slice(0, 10)} is in force: ${entry.applied} applied, ${entry.unchanged} unchanged, ${entry.pruned} deleted.`)
    })
}

async function readFiles(directory: string, root: string): Promise<{ path: string; content: string }[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error: Error) => {
    throw fail('BAD_REQUEST', { message: `${directory} cannot be read: ${error.message}` })
  })
  const paths = entries.filter((entry) => entry.isFile() && /\.ya?ml$/i.test(entry.name)).map((entry) => join(entry.parentPath, entry.name)).filter((path) => !path.includes('/.git/'))
  return Promise.all(
    paths.toSorted().map(async (path) => {
      const content = await readFile(path, 'utf8')
      if (content.length > largestFile) throw fail('CONFIG_REPO_INVALID', { message: `${path} has ${Math.round(content.length / 1024)} kB; ${largestFile / 1024} are the most.` })
      return { path: relative(root, path), content }
    }),
  )
}

function planText({ actions, errors }: ConfigPlan): string {
  const rows = actions.filter(({ action }) => action !== 'unchanged').map(({ action, kind, name, file, fields }) => [action, `${kind}/${name}`, fields.join(', ') || '-', file])
  const unchanged = actions.length - rows.length
  return [
    ...(rows.length > 0 ? [table(['', 'RESOURCE', 'FIELDS', 'FILE'], rows)] : errors.length > 0 ? [] : ['Nothing would change.']),
    ...(rows.length > 0 && unchanged > 0 ? [`${unchanged} unchanged`] : []),
    ...errors.map(({ file, message }) => `✖ ${file}: ${message}`),
  ].join('\n')
}

function describe({ metadata, spec, status = {} }: ConfigRepo, whole: boolean): string {
  const synced = status.conditions?.find(({ type }) => type === 'Synced')
  const drift = status.drift ?? []
  const commits = (status.commits ?? []).slice(0, whole ? 20 : 3)
  return [
    `${metadata.name}   ${spec.url ?? status.url ?? 'hosted here'}`,
    `  ${synced?.status === 'True' ? 'in force' : (synced?.reason ?? 'new')}   ${synced?.message ?? 'Nothing was looked at yet.'}${synced && synced.status !== 'True' ? ` Since ${synced.lastTransitionTime}.` : ''}`,
    ...drift.map(({ kind, name, fields }) => `  differs   ${kind}/${name}: ${fields.join(', ')}`),
    ...(commits.length === 0 ? [] : [table(['  COMMIT', 'MESSAGE', 'APPLIED', 'UNCHANGED', 'DELETED', 'FAILED', 'AGE'], commits.map((one) => [`  ${one.commit.slice(0, 10)}`, (one.message ?? '-').slice(0, 40), ...[one.applied, one.unchanged, one.pruned, one.failed].map(String), age(one.at)]))]),
    ...commits.slice(0, 1).flatMap(({ errors = [] }) => errors.map(({ file, message }) => `  ✖ ${file}: ${message}`)),
  ].join('\n')
}
