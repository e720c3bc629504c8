/** `pavior deploy`. */
import { resolve } from 'node:path'
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { deploy } from '../deploy.ts'

interface DeployFlags {
  app?: string
  environment?: string
  strategy?: string
  wait: boolean
  buildOnly?: boolean
  allowPinned?: boolean
  log: boolean
}

export function addDeploy(program: Command, context: () => Context): void {
  program
    .command('deploy [directory]')
    .description('Upload a directory, build it and put it live. Ends with success only when it answers.')
    .option('-a, --app <name>', 'app (default: from the manifest or the directory)')
    .option('-e, --environment <name>', 'environment (default: that of the team)')
    .option('--strategy <name>', 'rolling, canary or bluegreen (default: that of the environment)')
    .option('--no-wait', 'return as soon as the source is accepted')
    .option('--build-only', 'build, but do not deploy')
    .option('--allow-pinned', 'although the same revision was taken back from there')
    .option('--no-log', 'do not show the build log')
    .addHelpText('before', 'Example:\n  cd your-app && pavior deploy\n')
    .action(async (directory: string | undefined, flags: DeployFlags) => {
      const here = context()
      const { api, out, team } = here
      const path = resolve(directory ?? '.')
      const app = here.app(flags.app, path)
      out.progress(`${app} → ${team}${flags.environment ? `/${flags.environment}` : ''}`)
      const interruption = onInterrupt(here)
      const result = await deploy(api, out, {
        directory: path,
        app,
        team,
        environment: flags.environment,
        strategy: flags.strategy,
        buildOnly: flags.buildOnly,
        allowPinned: flags.allowPinned,
        noWait: !flags.wait,
        showLog: flags.log,
        signal: interruption.signal,
        onBuild: interruption.began,
      }).finally(interruption.over)
      out.result(result, () => result.url ?? (flags.buildOnly ? `${result.artifact}` : `${app} ${result.release ?? result.build}`))
    })
}

/** Ctrl-C asks whether to cancel the deploy or to leave it running; a second one leaves it. */
function onInterrupt(here: Context): { signal: AbortSignal; began: (build: string) => void; over: () => void } {
  const abort = new AbortController()
  let build: string | undefined
  let asking = false
  const interrupted = (): void => {
    if (build === undefined || asking) return abort.abort()
    asking = true
    void decide(here, build).finally(() => abort.abort())
  }
  process.on('SIGINT', interrupted)
  return { signal: abort.signal, began: (name) => (build = name), over: () => void process.off('SIGINT', interrupted) }
}

async function decide({ api, out, team }: Context, build: string): Promise<void> {
  if (!(await wantsCancel())) return out.progress(`The deploy goes on. Follow it with: pavior logs --build ${build} -f`)
  await api.merge('builds', team, build, { spec: { canceled: true } })
  const deployments = await api.list('deployments', team, `?labelSelector=pavior.dev/build%3D${build}`)
  for (const { metadata } of deployments) await api.merge('deployments', team, metadata.name, { spec: { canceled: true } })
  out.progress('The deploy is cancelled; what served before goes on serving.')
}

/** Without a terminal to ask on, the deploy is left running: a closed pipe must not take it back. */
async function wantsCancel(): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y/i.test(await reader.question('\nCancel the deploy? [y/N, N leaves it running] '))
  } finally {
    reader.close()
  }
}
