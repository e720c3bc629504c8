/** `pavior deploy`. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { deploy } from '../deploy.ts'

interface DeployFlags {
  app?: string
  environment?: string
  wait: boolean
  buildOnly?: boolean
  log: boolean
}

export function addDeploy(program: Command, context: () => Context): void {
  program
    .command('deploy [directory]')
    .description('Upload a directory, build it and put it live. Ends with success only when it answers.')
    .option('-a, --app <name>', 'app (default: from the manifest or the directory)')
    .option('-e, --environment <name>', 'environment (default: that of the team)')
    .option('--no-wait', 'return as soon as the source is accepted')
    .option('--build-only', 'build, but do not deploy')
    .option('--no-log', 'do not show the build log')
    .addHelpText('before', 'Example:\n  cd your-app && pavior deploy\n')
    .action(async (directory: string | undefined, flags: DeployFlags) => {
      const here = context()
      const { api, out, team } = here
      const path = resolve(directory ?? '.')
      const app = here.app(flags.app, path)
      out.progress(`${app} → ${team}${flags.environment ? `/${flags.environment}` : ''}`)
      const result = await deploy(api, out, { directory: path, app, team, environment: flags.environment, buildOnly: flags.buildOnly, noWait: !flags.wait, showLog: flags.log })
      out.result(result, () => result.url ?? (flags.buildOnly ? `${result.artifact}` : `${app} ${result.release ?? result.build}`))
    })
}
