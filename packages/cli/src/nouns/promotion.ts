/** `promote`, `diff`, `approve`, `deployment pause|resume|finish|abort`. */
import type { Command } from 'commander'
import { fail, type DeploymentSpec, type DeploymentStatus, type EnvironmentComparison, type PromotionPlan, type Resource } from '@pavior/contract'
import type { Context } from '../context.ts'
import { follow } from '../deploy.ts'
import { table } from '../output.ts'

type Deployment = Resource<DeploymentSpec, DeploymentStatus>

interface PromoteFlags {
  app?: string
  from: string
  to: string
  plan?: boolean
  allowPinned?: boolean
  wait: boolean
}

export function addPromotion(program: Command, context: () => Context): void {
  program
    .command('promote')
    .description('Put what serves in one environment into another: the same artifact, never built again.')
    .option('-a, --app <name>', 'app (default: from the directory)')
    .requiredOption('--from <environment>', 'where it serves')
    .requiredOption('--to <environment>', 'where it shall serve')
    .option('--plan', 'only tell what would change')
    .option('--allow-pinned', 'although the same revision was taken back from there')
    .option('--no-wait', 'do not wait for the end')
    .addHelpText('before', 'Example:\n  pavior promote --from staging --to production --plan\n')
    .action(async ({ app, from, to, plan, allowPinned, wait }: PromoteFlags) => {
      const { api, out, team } = context()
      const name = context().app(app)
      const path = `/v1/teams/${team}/apps/${name}/promote`
      if (plan) {
        const comparison = await api.json<PromotionPlan>({ method: 'POST', path, body: { from, to, plan } })
        return out.result(comparison, () => describe(comparison))
      }
      const { metadata, spec } = await api.json<Deployment>({ method: 'POST', path, body: { from, to, ...(allowPinned ? { allowPinned } : {}) } })
      out.progress(`${name} ${from} → ${to}`)
      if (!wait) return out.result({ app: name, release: `v${spec.release}`, deployment: metadata.name }, `${name} v${spec.release} goes to ${to} as ${metadata.name}.`)
      const { result, error } = await follow(api, out, `/v1/teams/${team}/deployments/${metadata.name}/progress`, {})
      if (error) throw fail(error.code, error)
      out.result(result, () => result?.url ?? `${name} ${result?.release} serves in ${to}.`)
    })

  program
    .command('diff <from> <to>')
    .description('What differs between what serves in two environments.')
    .option('-a, --app <name>', 'app (default: from the directory)')
    .addHelpText('before', 'Example:\n  pavior diff staging production\n')
    .action(async (from: string, to: string, { app }: { app?: string }) => {
      const { api, out, team } = context()
      const comparison = await api.json<EnvironmentComparison>({ method: 'GET', path: `/v1/teams/${team}/apps/${context().app(app)}/diff?${new URLSearchParams({ from, to })}` })
      out.result(comparison, () => describe(comparison))
    })

  program
    .command('approve <deployment>')
    .description('Approve a deployment that waits for it. Whoever made the change cannot.')
    .addHelpText('before', 'Example:\n  pavior approve checkout-production-12\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const deployment = await api.json<Deployment>({ method: 'POST', path: `/v1/teams/${team}/deployments/${encodeURIComponent(name)}/approve` })
      const left = deployment.status?.waitingFor?.filter(({ gate }) => gate !== 'approval') ?? []
      out.result(deployment, [`${name} is approved.`, ...left.map(({ text }) => `It still waits: ${text}`)].join('\n'))
    })

  const deployment = program.command('deployment').description('A deployment that is under way.')
  const change = (name: string, description: string, change: (deployment: Deployment) => Partial<DeploymentSpec>, said: string): void => {
    deployment
      .command(`${name} <deployment>`)
      .description(description)
      .addHelpText('before', `Example:\n  pavior deployment ${name} checkout-production-12\n`)
      .action(async (given: string) => {
        const { api, out, team } = context()
        const current = await api.get<Deployment>('deployments', team, given)
        out.result(await api.merge('deployments', team, given, { spec: change(current) }), `${given} ${said}`)
      })
  }
  change('pause', 'Stay at the present step of a canary.', () => ({ paused: true }), 'stays at its step.')
  change('resume', 'Go on from a pause.', ({ status }) => ({ paused: false, ...(status?.trial ? { resumedStep: status.trial.step } : {}) }), 'goes on.')
  change('finish', 'Leave out the steps and times that remain; the judge still has its say.', () => ({ promoted: true }), 'takes all traffic when the judge agrees.')
  change('abort', 'Take it back; what served before has all traffic again.', () => ({ canceled: true }), 'is taken back.')
}

function describe({ app, from, to, changes, strategy, gates = [], notes = [], refusal }: EnvironmentComparison & Partial<PromotionPlan>): string {
  const place = ({ environment, release }: { environment: string; release?: number }): string => `${environment} ${release === undefined ? '(nothing serves)' : `v${release}`}`
  const rows = [...(changes?.configuration ?? []), ...(changes?.secrets ?? []), ...(changes?.processes ?? [])].map(({ name, before, after }) => [name, before ?? '-', after ?? '-'])
  const artifact = to.artifact === undefined ? 'It is the first there.' : to.artifact === from.artifact ? 'The artifact is the same.' : `artifact ${to.artifact.slice(0, 19)} → ${from.artifact.slice(0, 19)}`
  const how = strategy && `strategy ${strategy.type}${strategy.steps.length > 0 ? ` (${strategy.steps.map(({ weight }) => `${weight} %`).join(' → ')})` : ''}: ${strategy.from}`
  return [`${app}: ${place(from)} → ${place(to)}`, artifact, ...(rows.length > 0 ? [table(['SETTING', 'NOW', 'THEN'], rows)] : changes ? ['Configuration, secrets and processes are the same.'] : []), ...(how ? [how] : []), ...(refusal ? [`It would be refused: ${refusal.message} ${refusal.fix}`] : []), ...gates.map(({ text, until }) => `It would wait: ${text}${until === undefined ? '' : ` Until ${until}.`}`), ...notes, ...(strategy && gates.length === 0 && !refusal ? ['Nothing holds it; it begins at once.'] : [])].join('\n')
}
