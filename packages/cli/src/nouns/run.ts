/** `run`: a one-off command in the files and environment of the release that serves. */
import { finished } from 'node:stream/promises'
import type { Command } from 'commander'
import { fail, type TaskStatus } from '@pavior/contract'
import type { Context } from '../context.ts'
import { waitFor } from '../wait.ts'

export function addRun(program: Command, context: () => Context): void {
  program
    .command('run <command...>')
    .description('Run a one-off command in the files and environment of the release that serves, attached to it.')
    .option('-a, --app <name>', 'app (default: from the directory)')
    .option('-e, --environment <name>', 'environment')
    .option('--no-tty', 'no pseudo terminal')
    .passThroughOptions()
    .addHelpText('before', 'Example:\n  pavior run node scripts/migrate.js\n')
    .action(async (words: string[], flags: { app?: string; environment?: string; tty: boolean }) => {
      const here = context()
      const { api, team } = here
      const app = here.app(flags.app)
      const terminal = flags.tty && process.stdin.isTTY && process.stdout.isTTY ? { columns: process.stdout.columns, rows: process.stdout.rows } : undefined
      const path = `/v1/teams/${team}/apps/${app}/run`
      const { id } = await api.json<{ id: string }>({ method: 'POST', path, body: { command: words.length === 1 ? words[0] : words.map(quote).join(' '), environment: flags.environment, interactive: true, terminal } })
      const { input, output } = api.duplex(`${path}/${id}/attach`)
      if (terminal) process.stdin.setRawMode(true)
      process.once('SIGINT', () => void api.json({ method: 'DELETE', path: `${path}/${id}` }).catch(() => {}))
      process.stdin.pipe(input)
      input.on('error', () => {})
      const stream = await output
      stream.pipe(process.stdout, { end: false })
      await finished(stream).catch(() => {})
      process.stdin.unpipe(input)
      process.stdin.pause()
      input.destroy()
      if (terminal) process.stdin.setRawMode(false)
      let task: TaskStatus | undefined
      await waitFor(async () => {
        task = await api.json<TaskStatus>({ path: `${path}/${id}` })
        return task.state === 'exited'
      }, 'the command to end')
      finish(task!)
    })
}

/** Words keep their meaning through the shell that runs them. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** The exit code of the command becomes ours. */
function finish({ exit, problem }: TaskStatus): void {
  if (exit?.code !== undefined) {
    process.exitCode = exit.code
    return
  }
  throw fail(problem?.code ?? 'PROCESS_EXITED', problem ?? { message: `The command was ended by ${exit?.signal ?? 'a signal'}.` })
}
