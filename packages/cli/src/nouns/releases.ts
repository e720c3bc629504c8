/** `releases`, `rollback`. */
import type { Command } from 'commander'
import { fail, type DeploymentSpec, type DeploymentStatus, type ReleaseSpec, type Resource } from '@pavior/contract'
import type { Context } from '../context.ts'
import { follow } from '../deploy.ts'
import { age, table } from '../output.ts'

type Release = Resource<ReleaseSpec>
type Deployment = Resource<DeploymentSpec, DeploymentStatus>

export function addReleases(program: Command, context: () => Context): void {
  program
    .command('releases')
    .description('List the releases of an app, the newest first.')
    .option('-a, --app <name>', 'app (default: from the directory)')
    .addHelpText('before', 'Example:\n  pavior releases\n')
    .action(async ({ app }: { app?: string }) => {
      const { api, out, team } = context()
      const name = context().app(app)
      const search = `?fieldSelector=spec.app%3D${name}&limit=0`
      const [releases, deployments] = await Promise.all([api.list<Release>('releases', team, search), api.list<Deployment>('deployments', team, search)])
      const newestFirst = releases.toSorted((one, other) => other.spec.version - one.spec.version)
      out.result(newestFirst, () =>
        newestFirst.length === 0
          ? `${name} has no releases.`
          : table(
              ['RELEASE', 'REASON', 'ARTIFACT', 'COMMIT', 'DEPLOYED', 'AGE'],
              newestFirst.map(({ spec, metadata }) => [`v${spec.version}`, (spec.reason ?? '-').slice(0, 50), spec.artifact.slice(0, 19), spec.revision?.commit?.slice(0, 10) ?? '-', stateOf(deployments, spec.version), age(metadata.creationTimestamp)]),
            ),
      )
    })

  program
    .command('rollback [release]')
    .description('Put an earlier release live again: its artifact and its configuration.')
    .option('-a, --app <name>', 'app (default: from the directory)')
    .option('-e, --environment <name>', 'environment')
    .option('--no-wait', 'do not wait for the end')
    .addHelpText('before', 'Example:\n  pavior rollback v23\n')
    .action(async (given: string | undefined, flags: { app?: string; environment?: string; wait: boolean }) => {
      const { api, out, team } = context()
      const name = context().app(flags.app)
      const to = given === undefined ? undefined : Number(given.replace(/^v/, ''))
      if (to !== undefined && !Number.isInteger(to)) throw fail('BAD_REQUEST', { message: `"${given}" is not a release.`, fix: 'For example: pavior rollback v23' })
      const deployment = await api.json<Deployment>({ method: 'POST', path: `/v1/teams/${team}/apps/${name}/rollback`, body: { to, environment: flags.environment } })
      out.progress(`${name} → ${team}/${deployment.spec.environment}`)
      if (!flags.wait) return out.result({ app: name, release: `v${deployment.spec.release}`, deployment: deployment.metadata.name }, `${name} goes back to v${deployment.spec.release}.`)
      const { result, error } = await follow(api, out, `/v1/teams/${team}/deployments/${deployment.metadata.name}/progress`, {})
      if (error) throw fail(error.code, error)
      out.result(result, `${name} is back on ${result?.release}.`)
    })
}

function stateOf(deployments: Deployment[], version: number): string {
  const own = deployments.filter(({ spec }) => spec.release === version)
  const newest = own.toSorted((one, other) => (one.metadata.creationTimestamp < other.metadata.creationTimestamp ? 1 : -1))[0]
  if (!newest) return '-'
  return `${newest.status?.phase ?? 'Pending'} in ${newest.spec.environment}`
}
