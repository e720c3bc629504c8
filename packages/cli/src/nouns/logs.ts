/** `logs`: of an app's instances, or of a build. */
import type { Command } from 'commander'
import { fail, type LogEntry } from '@pavior/contract'
import type { Context } from '../context.ts'
import { printLines } from '../print-lines.ts'
import { timeOf } from '../times.ts'

interface LogFlags {
  app?: string
  follow?: boolean
  process?: string
  instance?: string
  environment?: string
  release?: string
  grep?: string
  level?: string
  request?: string
  trace?: string
  since?: string
  until?: string
  tail?: string
  build?: string | boolean
}

interface BuildLine {
  step?: string
  line: string
}

export function addLogs(program: Command, context: () => Context): void {
  program
    .command('logs [app]')
    .description('Show the log of an app or of a build.')
    .option('-a, --app <name>', 'app (default: from the directory)')
    .option('-f, --follow', 'go on as lines come')
    .option('-p, --process <name>', 'only this process')
    .option('-i, --instance <name>', 'only this instance')
    .option('-e, --environment <name>', 'only this environment')
    .option('-r, --release <version>', 'only this release, also one that failed to start')
    .option('-g, --grep <text>', 'only lines that contain this text, or match /this pattern/')
    .option('-l, --level <level>', 'only lines this bad and worse: debug, info, warn, error')
    .option('--request <id>', 'only lines of this request')
    .option('--trace <id>', 'only lines of this trace')
    .option('--since <time>', 'only newer lines: 10m, 2h, or an ISO time')
    .option('--until <time>', 'only older lines: 10m, 2h, or an ISO time')
    .option('-n, --tail <lines>', 'only the last lines (default: 100)')
    .option('--build [name]', 'log of a build (default: the newest)')
    .addHelpText('before', 'Example:\n  pavior logs -f --process web --since 10m\n  pavior logs --level error --grep "order 1021" --since 2h\n')
    .action(async (given: string | undefined, flags: LogFlags) => {
      const here = context()
      if (flags.build !== undefined) return buildLog(here, given ?? flags.app, flags)
      const app = here.app(given ?? flags.app)
      const search = new URLSearchParams()
      for (const name of ['process', 'instance', 'environment', 'release', 'tail', 'grep', 'level'] as const) if (flags[name] !== undefined) search.set(name, String(flags[name]))
      if (flags.request !== undefined) search.set('requestId', flags.request)
      if (flags.trace !== undefined) search.set('traceId', flags.trace)
      for (const name of ['since', 'until'] as const) if (flags[name] !== undefined) search.set(name, timeOf(`--${name}`, flags[name], Date.now()))
      if (flags.follow) search.set('follow', '1')
      await printLines<LogEntry>(here, `/v1/teams/${here.team}/apps/${app}/logs?${search}`, (entry) => textOf(here, entry))
    })
}

function textOf({ out }: Context, { time, level, process: name, instance, sender, line }: LogEntry): string {
  const origin = name === undefined ? (sender ?? '') : `${name}[${instance?.slice(-6)}]`
  const text = level === 'error' ? out.paint('red', line) : level === 'warn' ? out.paint('yellow', line) : line
  return `${out.paint('dim', time)} ${out.paint('cyan', origin)} ${text}`
}

async function buildLog(here: Context, given: string | undefined, { build, follow }: LogFlags): Promise<void> {
  let name = typeof build === 'string' ? build : undefined
  if (name === undefined) {
    const app = here.app(given)
    const builds = await here.api.list('builds', here.team, `?fieldSelector=spec.app%3D${app}&limit=0`)
    name = builds.toSorted((one, other) => Number(other.metadata.labels?.['pavior.dev/number']) - Number(one.metadata.labels?.['pavior.dev/number']))[0]?.metadata.name
    if (name === undefined) throw fail('NOT_FOUND', { message: `${app} has no builds.` })
  }
  await printLines<BuildLine>(here, `/v1/teams/${here.team}/builds/${name}/log${follow ? '?follow=1' : ''}`, ({ step, line }) => `${here.out.paint('cyan', step ?? '')} ${line}`)
}
