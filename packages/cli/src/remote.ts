/** A git remote of this platform for the directory, with a token that stands nowhere in it. */
import { spawnSync } from 'node:child_process'
import { fail } from '@pavior/contract'
import type { Context } from './context.ts'

/** Returns its address. `name`: of an app, or of a repository that declares resources. */
export function addRemote(here: Context, name: string, remote: string): string {
  const { endpoint, team } = here
  const url = new URL(`/git/${team}/${name}.git`, endpoint.url).href
  if (git('rev-parse', '--git-dir').status !== 0) must(git('init', '--quiet', '-b', 'main'), 'make a git repository here')
  const known = git('remote', 'get-url', remote)
  must(known.status === 0 ? git('remote', 'set-url', remote, url) : git('remote', 'add', remote, url), 'add the remote')
  // The token is asked for by git through our helper, so it stands in no URL and no file of the repository.
  const helper = `!f() { test "$1" = get && printf 'username=pavior\\npassword=%s\\n' "$(${here.flags.home ?? here.environment.PAVIOR_HOME ? `PAVIOR_HOME=${quote(here.home)} ` : ''}${quote(process.execPath)} ${quote(process.argv[1]!)} git-token)"; }; f`
  must(git('config', '--replace-all', `credential.${new URL(endpoint.url).origin}.helper`, helper), 'set the credential helper')
  return url
}

function git(...args: string[]): { status: number | null; stderr: string } {
  const { status, stderr, error } = spawnSync('git', args, { encoding: 'utf8' })
  if (error) throw fail('TOOLCHAIN_MISSING', { message: 'git is not installed.', fix: 'Install git, or deploy with `pavior deploy`.' })
  return { status, stderr }
}

function must({ status, stderr }: { status: number | null; stderr: string }, what: string): void {
  if (status !== 0) throw fail('BAD_REQUEST', { message: `git could not ${what}: ${stderr.trim()}` })
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}
