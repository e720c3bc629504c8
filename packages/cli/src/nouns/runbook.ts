/** `runbook`: tested steps for when something breaks, and going through them. */
import type { Command } from 'commander'
import { fail, type Resource, type RunbookRunSpec, type RunbookRunStatus, type RunbookSpec, type RunbookStatus, type RunbookStepState } from '@pavior/contract'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Api } from '../api.ts'
import type { Context } from '../context.ts'
import { age, table } from '../output.ts'

type Runbook = Resource<RunbookSpec, RunbookStatus>
type Run = Resource<RunbookRunSpec, RunbookRunStatus>

interface RunFlags {
  set: string[]
  dryRun?: boolean
  incident?: string
  reason?: string
}

interface AnswerFlags {
  note?: string
}

const lookEveryMs = 300
const over = new Set(['Succeeded', 'Stopped', 'Failed', 'Canceled'])
const signs: Record<RunbookStepState['state'], string> = { Pending: '○', Running: '…', Waiting: '?', Done: '✔', Failed: '✖', Skipped: '–' }

export function addRunbook(program: Command, context: () => Context): void {
  const runbook = program.command('runbook').description('Tested steps for when something breaks.').addHelpText('before', 'Example:\n  pavior runbook run bad-release --set app=shop\n')
  addReading(runbook, context)
  addRunning(runbook, context)
}

function addReading(runbook: Command, context: () => Context): void {
  runbook
    .command('list')
    .description('The runbooks of the team, with when each last succeeded.')
    .addHelpText('before', 'Example:\n  pavior runbook list\n')
    .action(async () => {
      const { api, out, team } = context()
      const found = await api.list<Runbook>('runbooks', team)
      const row = ({ metadata, spec, status = {} }: Runbook): string[] => [metadata.name, String(status.steps ?? ''), status.lastSuccessAt ? `${age(status.lastSuccessAt)} ago` : 'never', status.stale ? 'stale' : '', spec.title]
      out.result(found, () => (found.length === 0 ? 'No runbooks. Those that Pavior brings: pavior runbook library' : table(['NAME', 'STEPS', 'SUCCEEDED', '', 'FOR'], found.map(row))))
    })
  runbook
    .command('show <name>')
    .description('The text of a runbook.')
    .addHelpText('before', 'Example:\n  pavior runbook show bad-release\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const found = await api.get<Runbook>('runbooks', team, name)
      out.result(found, found.spec.markdown)
    })
  runbook
    .command('library')
    .description('Runbooks that Pavior brings.')
    .addHelpText('before', 'Example:\n  pavior runbook library\n')
    .action(async () => {
      const { api, out } = context()
      const { items } = await api.json<{ items: { name: string; spec: RunbookSpec }[] }>({ path: '/v1/runbooks/library' })
      out.result(items, () => `${table(['NAME', 'FOR'], items.map(({ name, spec }) => [name, spec.title]))}\n\nTake one over: pavior runbook add <name>`)
    })
  runbook
    .command('add <name...>')
    .description('Take over runbooks that Pavior brings; they are the team’s own then.')
    .option('--replace', 'write over what the team has made of them')
    .addHelpText('before', 'Example:\n  pavior runbook add bad-release disk-full\n')
    .action(async (names: string[], { replace = false }: { replace?: boolean }) => {
      const { api, out, team } = context()
      const { items } = await api.json<{ items: Brought[] }>({ path: '/v1/runbooks/library' })
      const unknown = names.find((name) => items.every((item) => item.name !== name))
      if (unknown !== undefined) throw fail('NOT_FOUND', { message: `Pavior brings no runbook "${unknown}".`, fix: 'See: pavior runbook library' })
      const present = new Map((await api.list<Runbook>('runbooks', team)).map((one) => [one.metadata.name, one]))
      const told: { name: string; outcome: Outcome }[] = []
      for (const item of items.filter(({ name }) => names.includes(name))) told.push({ name: item.name, outcome: await takeOver(api, team, item, present.get(item.name), replace) })
      out.result(told, table(['NAME', ''], told.map(({ name, outcome }) => [name, outcomes[outcome]])))
      const own = told.filter(({ outcome }) => outcome === 'own').map(({ name }) => name)
      if (own.length > 0) throw fail('ALREADY_EXISTS', { message: `The team has ${own.join(', ')} already, and changed ${own.length === 1 ? 'it' : 'them'}.`, fix: `To write over ${own.length === 1 ? 'it' : 'them'}: pavior runbook add ${own.join(' ')} --replace` })
    })
}

interface Brought {
  name: string
  spec: RunbookSpec
}

type Outcome = 'added' | 'unchanged' | 'replaced' | 'own'
const outcomes: Record<Outcome, string> = { added: 'added', unchanged: 'is there already, unchanged', replaced: 'replaced', own: 'is there already, and the team changed it: left as it is' }

async function takeOver(api: Api, team: string, { name, spec }: Brought, present: Runbook | undefined, replace: boolean): Promise<Outcome> {
  if (!present) {
    await api.json<Runbook>({ method: 'POST', path: api.path('runbooks', team), body: { metadata: { name }, spec } })
    return 'added'
  }
  if (isDeepStrictEqual(present.spec, spec)) return 'unchanged'
  if (!replace) return 'own'
  await api.json<Runbook>({ method: 'PUT', path: api.path('runbooks', team, name), body: { ...present, spec } })
  return 'replaced'
}

function addRunning(runbook: Command, context: () => Context): void {
  runbook
    .command('run <name>')
    .description('Go through a runbook: checks are made, and it stops where a person is needed.')
    .option('--set <name=value>', 'a parameter; may be given several times', (value: string, before: string[]) => [...before, value], [])
    .option('--dry-run', 'make the checks, and only show what would be changed')
    .option('--incident <name>', 'incident that it is for')
    .option('--reason <text>', 'why')
    .addHelpText('before', 'Example:\n  pavior runbook run bad-release --set app=shop\n')
    .action(async (name: string, flags: RunFlags) => {
      const here = context()
      const spec: RunbookRunSpec = { runbook: name, parameters: parametersOf(flags.set), ...(flags.dryRun ? { dryRun: true } : {}), ...(flags.incident ? { incident: flags.incident } : {}), ...(flags.reason ? { reason: flags.reason } : {}) }
      const run = await here.api.json<Run>({ method: 'POST', path: `/apis/pavior.dev/v1/namespaces/${encodeURIComponent(here.team)}/runbookruns`, body: { metadata: { generateName: `${name}-` }, spec } })
      await follow(here, run.metadata.name, 0)
    })
  const answering = (word: string, description: string, usage: string, body: (chosen: string | undefined) => object): void => {
    runbook
      .command(usage)
      .description(description)
      .option('--note <text>', 'what others should know')
      .addHelpText('before', `Example:\n  pavior runbook ${word} bad-release-x7k2p${word === 'choose' ? ' yes' : ''}\n`)
      .action(async (name: string, ...rest: unknown[]) => {
        const chosen = typeof rest[0] === 'string' ? rest[0] : undefined
        const { note } = (chosen === undefined ? rest[0] : rest[1]) as AnswerFlags
        const here = context()
        const step = ((await here.api.get<Run>('runbookruns', here.team, name)).status?.steps?.length ?? 1) - 1
        await here.api.json({ method: 'POST', path: `/v1/teams/${encodeURIComponent(here.team)}/runbookruns/${encodeURIComponent(name)}/answer`, body: { step, ...body(chosen), ...(note ? { note } : {}) } })
        await follow(here, name, step)
      })
  }
  answering('approve', 'Approve the change or command that a run waits with, or say that what it asks a person for is done. It is done in your name.', 'approve <run>', () => ({ approve: true }))
  answering('skip', 'Leave out the step that a run waits with.', 'skip <run>', () => ({ skip: true }))
  answering('choose', 'Decide for a run that asks.', 'choose <run> <option>', (choose) => ({ choose }))
  runbook
    .command('cancel <run>')
    .description('End a run. What it changed stays.')
    .addHelpText('before', 'Example:\n  pavior runbook cancel bad-release-x7k2p\n')
    .action(async (name: string) => {
      const here = context()
      const run = await here.api.json<Run>({ method: 'POST', path: `/v1/teams/${encodeURIComponent(here.team)}/runbookruns/${encodeURIComponent(name)}/cancel` })
      here.out.result(run, run.status?.message ?? '')
    })
  runbook
    .command('runs [name]')
    .description('Runs of the team, or of one runbook.')
    .addHelpText('before', 'Example:\n  pavior runbook runs bad-release\n')
    .action(async (name: string | undefined) => {
      const { api, out, team } = context()
      const found = await api.list<Run>('runbookruns', team, name === undefined ? '' : `?fieldSelector=${encodeURIComponent(`spec.runbook=${name}`)}`)
      const ordered = found.toSorted((one, other) => Date.parse(other.metadata.creationTimestamp) - Date.parse(one.metadata.creationTimestamp))
      out.result(ordered, () => (ordered.length === 0 ? 'No runs.' : table(['RUN', 'WHEN', 'BY', 'PHASE', 'MESSAGE'], ordered.map(({ metadata, spec, status = {} }) => [metadata.name, `${age(metadata.creationTimestamp)} ago`, (spec.requestedBy ?? '').replace(/^user:/, ''), `${status.phase ?? ''}${spec.dryRun ? ' (dry run)' : ''}`, status.message ?? '']))))
    })
}

function parametersOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((each) => {
      const at = each.indexOf('=')
      if (at < 1) throw fail('BAD_REQUEST', { message: `"${each}" is no parameter.`, fix: 'For example: --set app=shop' })
      return [each.slice(0, at), each.slice(at + 1)]
    }),
  )
}

/** Prints steps as they end, until the run is over or waits for a person. */
async function follow(here: Context, name: string, from: number): Promise<void> {
  let shown = from
  for (;;) {
    const run = await here.api.get<Run>('runbookruns', here.team, name)
    const { phase = 'Running', steps = [], message = '' } = run.status ?? {}
    const ended = steps.filter(({ state }) => state === 'Done' || state === 'Failed' || state === 'Skipped')
    for (const step of ended.slice(shown)) here.out.progress(lineOf(here, step))
    shown = Math.max(shown, ended.length)
    if (over.has(phase)) {
      here.out.result(run, `${here.out.paint(phase === 'Failed' ? 'red' : 'green', phase)}   ${message}`)
      if (phase === 'Failed') process.exitCode = 1
      return
    }
    if (phase === 'Waiting') return here.out.result(run, questionOf(here, name, steps.at(-1)!))
    here.out.live(`  … ${steps.at(-1)?.name ?? 'It begins'}`)
    await delay(lookEveryMs)
  }
}

function lineOf({ out }: Context, { state, name, output = '', by, choice }: RunbookStepState): string {
  const [first = '', ...more] = output.split('\n')
  const said = [choice && `chose ${choice}`, by && `by ${by.replace(/^user:/, '')}`].filter(Boolean).join(' ')
  return [`  ${out.paint(state === 'Failed' ? 'red' : state === 'Done' ? 'green' : 'dim', signs[state])} ${name}${said ? out.paint('dim', `   ${said}`) : ''}${first ? out.paint('dim', `   ${first}`) : ''}`, ...more.map((line) => `      ${line}`)].join('\n')
}

function questionOf({ out }: Context, run: string, { name, needs, text = '', options = [], output }: RunbookStepState): string {
  const commands = needs === 'choice' ? options.map((option) => `pavior runbook choose ${run} ${/\s/.test(option) ? `"${option}"` : option}`) : [`pavior runbook approve ${run}`, `pavior runbook skip ${run}`]
  const what = needs === 'approval' ? 'It waits for an approval' : needs === 'choice' ? 'It waits for a decision' : 'It waits until somebody did this'
  return [`  ${out.paint('yellow', '?')} ${out.paint('bold', name)}`, `      ${text}`, ...(output ? [`      ${output}`] : []), '', `${what}:`, ...commands.map((command) => `  ${command}`)].join('\n')
}
