/** `gameday`: faults on purpose, to find out whether what is believed about an app holds. */
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { fail, isPaviorError, type GameDaySpec, type GameDayStatus, type GameDayStepState, type Resource } from '@pavior/contract'
import { parse } from 'yaml'
import type { Context } from '../context.ts'
import { age, table } from '../output.ts'

type GameDay = Resource<GameDaySpec, GameDayStatus>
type LibraryItem = { name: string; spec: Omit<GameDaySpec, 'app' | 'environment'> }

interface AddFlags {
  app?: string
  environment?: string
  name?: string
}

interface VerdictFlags {
  text: string
  action: string[]
}

const lookEveryMs = 500
const over = new Set(['Finished', 'Aborted', 'Stopped'])
const signs: Record<GameDayStepState['state'], string> = { Pending: '○', Running: '…', Settling: '…', Done: '✔', Cut: '✖', Skipped: '–' }

export function addGameDay(program: Command, context: () => Context): void {
  const gameday = program.command('gameday').alias('gamedays').description('Faults on purpose, to find out whether what is believed about an app holds.').addHelpText('before', 'Example:\n  pavior gameday start slow-dependency\n')
  addReading(gameday, context)
  addWriting(gameday, context)
  addActs(gameday, context)
}

function addReading(gameday: Command, context: () => Context): void {
  gameday
    .command('list')
    .description('The game days of the team, the newest first.')
    .addHelpText('before', 'Example:\n  pavior gameday list\n')
    .action(async () => {
      const { api, out, team } = context()
      const found = (await api.list<GameDay>('gamedays', team)).toSorted((one, other) => other.metadata.creationTimestamp.localeCompare(one.metadata.creationTimestamp))
      const row = ({ metadata, spec, status = {} }: GameDay): string[] => [metadata.name, status.state ?? 'Planned', `${spec.app}/${spec.environment}`, status.startedAt ? `${age(status.startedAt)} ago` : '', spec.verdict?.result ?? '', spec.hypothesis]
      out.result(found, () => (found.length === 0 ? 'No game days. Those that Pavior brings: pavior gameday library' : table(['NAME', 'STATE', 'WHERE', 'STARTED', 'VERDICT', 'HYPOTHESIS'], found.map(row))))
    })
  gameday
    .command('show <name>')
    .description('The plan of a game day, and what came of it.')
    .addHelpText('before', 'Example:\n  pavior gameday show slow-dependency\n')
    .action(async (name: string) => {
      const here = context()
      const found = await here.api.get<GameDay>('gamedays', here.team, name)
      here.out.result(found, () => shownOf(here, found))
    })
  gameday
    .command('library')
    .description('Game days that Pavior brings.')
    .addHelpText('before', 'Example:\n  pavior gameday library\n')
    .action(async () => {
      const { api, out } = context()
      const items = await libraryOf(api)
      out.result(items, () => `${table(['NAME', 'HYPOTHESIS'], items.map(({ name, spec }) => [name, spec.hypothesis]))}\n\nTake one over: pavior gameday add <name> --app <app> --environment <environment>`)
    })
}

async function libraryOf(api: Context['api']): Promise<LibraryItem[]> {
  return (await api.json<{ items: LibraryItem[] }>({ path: '/v1/gamedays/library' })).items
}

function addWriting(gameday: Command, context: () => Context): void {
  gameday
    .command('add <file-or-name>')
    .description('Plan a game day, from a file or one that Pavior brings.')
    .option('--app <app>', 'app that is put to the test')
    .option('--environment <name>', 'where; it has to allow faults')
    .option('--name <name>', 'what it is called')
    .addHelpText('before', 'Example:\n  pavior gameday add slow-dependency --app shop --environment staging\n  pavior gameday add my-game-day.yaml\n')
    .action(async (source: string, flags: AddFlags) => {
      const { api, out, team } = context()
      const { name, spec } = await planOf(api, source)
      const made = await api.json<GameDay>({ method: 'POST', path: api.path('gamedays', team), body: { metadata: { name: flags.name ?? name }, spec: { ...spec, ...(flags.app ? { app: flags.app } : {}), ...(flags.environment ? { environment: flags.environment } : {}) } } })
      out.result(made, `${made.metadata.name}   ${made.spec.hypothesis}\n\nBegin it: pavior gameday start ${made.metadata.name}`)
    })
  gameday
    .command('again <name>')
    .description('Plan the same once more, as a new one.')
    .addHelpText('before', 'Example:\n  pavior gameday again slow-dependency\n')
    .action(async (name: string) => {
      const here = context()
      const made = await act(here, name, 'again')
      here.out.result(made, `${made.metadata.name}   ${made.spec.hypothesis}\n\nBegin it: pavior gameday start ${made.metadata.name}`)
    })
  gameday
    .command('allow <environment>')
    .description('Allow faults in an environment, or with --not forbid them: what runs there then ends at once.')
    .option('--not', 'forbid them')
    .addHelpText('before', 'Example:\n  pavior gameday allow staging\n')
    .action(async (environment: string, { not }: { not?: boolean }) => {
      const { api, out, team } = context()
      const changed = await api.merge('environments', team, environment, { spec: { faults: not ? null : true } })
      out.result(changed, not ? `No faults may be injected in ${environment}.` : `Faults may be injected in ${environment}.`)
    })
}

async function planOf(api: Context['api'], source: string): Promise<{ name: string; spec: object }> {
  const known = /[./]/.test(source) ? undefined : (await libraryOf(api)).find(({ name }) => name === source)
  if (known) return known
  const text = await readFile(source, 'utf8').catch(() => {
    throw fail('NOT_FOUND', { message: `There is no file "${source}", and Pavior brings no game day of that name.`, fix: 'See: pavior gameday library' })
  })
  const read = parse(text) as Partial<GameDay> | null
  if (read?.kind !== 'GameDay' || !read.metadata?.name || !read.spec) throw fail('BAD_REQUEST', { message: `"${source}" holds no GameDay with a name and a spec.`, fix: 'See the schema: pavior explain gameday' })
  return { name: read.metadata.name, spec: read.spec }
}

function act({ api, team }: Context, name: string, verb: string, body?: object): Promise<GameDay> {
  return api.json<GameDay>({ method: 'POST', path: `/v1/teams/${encodeURIComponent(team)}/gamedays/${encodeURIComponent(name)}/${verb}`, ...(body ? { body } : {}) })
}

function addActs(gameday: Command, context: () => Context): void {
  gameday
    .command('start <name>')
    .description('Begin a game day and follow it. Ctrl-C asks whether to stop it.')
    .option('--no-wait', 'do not follow it')
    .addHelpText('before', 'Example:\n  pavior gameday start slow-dependency\n')
    .action(async (name: string, { wait }: { wait: boolean }) => {
      const here = context()
      const begun = await act(here, name, 'start')
      here.out.progress(`${begun.spec.app} → ${here.team}/${begun.spec.environment}\n${here.out.paint('bold', begun.spec.hypothesis)}`)
      if (wait) await follow(here, name)
      else here.out.result(begun, `It runs. Stop it: pavior gameday stop ${name}`)
    })
  gameday
    .command('stop <name>')
    .description('End every fault of a game day at once.')
    .addHelpText('before', 'Example:\n  pavior gameday stop slow-dependency\n')
    .action(async (name: string) => {
      const here = context()
      const stopped = await act(here, name, 'stop')
      here.out.result(stopped, stopped.status?.message ?? '')
    })
  gameday
    .command('verdict <name> <held-or-refuted>')
    .description('Say whether the hypothesis held, what was seen, and what is done about it.')
    .requiredOption('--text <text>', 'what was seen, and learned')
    .option('--action <text>', 'what is done about it, perhaps with "@owner" and "due 2026-12-31"; may be given several times', (value: string, before: string[]) => [...before, value], [])
    .addHelpText('before', 'Example:\n  pavior gameday verdict slow-dependency refuted --text "Checkout times out." --action "Set a time limit @ana due 2026-12-31"\n')
    .action(async (name: string, result: string, { text, action }: VerdictFlags) => {
      if (result !== 'held' && result !== 'refuted') throw fail('BAD_REQUEST', { message: `"${result}" is no verdict.`, fix: 'Say held or refuted.' })
      const here = context()
      const judged = await act(here, name, 'verdict', { result, text, ...(action.length > 0 ? { actions: action.map(actionOf) } : {}) })
      const { actions = [] } = judged.spec.verdict!
      here.out.result(judged, `The hypothesis ${result === 'held' ? 'held' : 'was refuted'}.${actions.length > 0 ? ` ${actions.length} ${actions.length === 1 ? 'action is' : 'actions are'} to be done: pavior gameday show ${name}` : ''}`)
    })
}

function actionOf(text: string): { title: string; owner?: string; due?: string } {
  const owner = /(?:^|\s)@([a-z0-9][a-z0-9._-]*)/.exec(text)?.[1]
  const due = /(?:^|\s)due (20\d\d-[01]\d-[0-3]\d)/.exec(text)?.[1]
  const title = text.replace(/(^|\s)@[a-z0-9][a-z0-9._-]*/, '').replace(/(^|\s)due 20\d\d-[01]\d-[0-3]\d/, '').trim()
  return { title, ...(owner ? { owner } : {}), ...(due ? { due } : {}) }
}

/** Prints steps as they move, until it is over. */
async function follow(here: Context, name: string): Promise<void> {
  const { out } = here
  const interruption = onInterrupt(here, name)
  const shown = new Map<number, GameDayStepState['state']>()
  for (;;) {
    const found = await read(here, name)
    if (found) {
      const { state = 'Planned', steps = [] } = found.status ?? {}
      const settled = over.has(state)
      steps.forEach((step, index) => {
        const line = lineOf(here, step)
        if (line === undefined || shown.get(index) === step.state) return
        shown.set(index, step.state)
        out.progress(line)
      })
      if (settled || interruption.left()) {
        interruption.over()
        return finish(here, found, state)
      }
      out.live(`  ${liveOf(found)}`)
    } else out.live('  … the control plane does not answer')
    await delay(lookEveryMs)
  }
}

/** Undefined while the control plane is away, which may be what is tried out. */
async function read({ api, team }: Context, name: string): Promise<GameDay | undefined> {
  try {
    return await api.get<GameDay>('gamedays', team, name)
  } catch (error) {
    if (isPaviorError(error) && (error.code === 'SERVER_UNREACHABLE' || error.code === 'SHUTTING_DOWN' || error.code === 'DATABASE_UNAVAILABLE')) return undefined
    throw error
  }
}

function finish({ out }: Context, found: GameDay, state: string): void {
  const { status = {}, metadata } = found
  if (!over.has(state)) return out.result(found, `It goes on. Stop it: pavior gameday stop ${metadata.name}`)
  const verdict = `Say what it showed: pavior gameday verdict ${metadata.name} held|refuted --text "…"`
  out.result(found, `${out.paint(state === 'Finished' ? 'green' : 'red', state)}   ${status.reason ?? status.message ?? ''}\n\n${verdict}`)
  if (state === 'Aborted') process.exitCode = 1
}

function lineOf({ out }: Context, { state, name, outcome }: GameDayStepState): string | undefined {
  if (state === 'Pending' || state === 'Settling') return undefined
  if (state === 'Running') return `  ${signs[state]} ${name}`
  return `  ${out.paint(state === 'Done' ? 'green' : state === 'Cut' ? 'red' : 'dim', signs[state])} ${name}${outcome ? out.paint('dim', `   ${outcome}`) : ''}`
}

function liveOf({ status = {} }: GameDay): string {
  const { now, limits = [], message = '' } = status
  const figures = now ? `${now.requests} requests, errors ${Number(now.errorPercent.toFixed(1))} %, p95 ${now.p95Ms === null ? '–' : `${Math.round(now.p95Ms)} ms`}` : ''
  return ['…', message, figures, ...limits.map(({ text, value, limit, unit }) => `${text} ${value ?? '–'} (ends it above ${limit}${unit ? ` ${unit}` : ''})`)].filter(Boolean).join('   ')
}

/** Ctrl-C asks whether to stop it; once more, or without a terminal to ask on, it is stopped: that hurts least. */
function onInterrupt(here: Context, name: string): { left: () => boolean; over: () => void } {
  let left = false
  let asking = false
  const stop = (): void => void act(here, name, 'stop').catch((error: Error) => here.out.progress(`It could not be stopped: ${error.message}`))
  const interrupted = (): void => {
    if (asking || !process.stdin.isTTY) return stop()
    asking = true
    void leaves().then((leaving) => {
      asking = false
      if (leaving) left = true
      else stop()
    })
  }
  process.on('SIGINT', interrupted)
  return { left: () => left, over: () => void process.off('SIGINT', interrupted) }
}

async function leaves(): Promise<boolean> {
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^n/i.test(await reader.question('\nStop the game day? [Y/n, n leaves it running] '))
  } finally {
    reader.close()
  }
}

function shownOf(here: Context, { metadata, spec, status = {} }: GameDay): string {
  const { out } = here
  const steps = status.steps ?? spec.steps.map(({ name = '' }): GameDayStepState => ({ name, state: 'Pending' }))
  const lines = spec.steps.flatMap((step, index) => {
    const { state, name, outcome } = steps[index]!
    return [`  ${signs[state]} ${name || kindOf(step)}   ${step.seconds} s${outcome ? `   ${outcome}` : ''}`, ...(step.expect ? [`      expected: ${step.expect}`] : [])]
  })
  const { verdict } = spec
  const judged = verdict ? ['', `${out.paint('bold', verdict.result === 'held' ? 'It held.' : 'It was refuted.')} ${verdict.text}`, ...(verdict.actions ?? []).map(({ title, owner, due, state = 'Open' }) => `  ${state === 'Open' ? '○' : state === 'Done' ? '✔' : '–'} ${title}${owner ? ` (${owner})` : ''}${due ? `, due ${due}` : ''}`)] : []
  const abort = (spec.abort ?? []).map(({ slo, burnRate, errorPercent, p95Ms, query, above }) => (slo !== undefined ? `burn of ${slo} above ${burnRate}` : errorPercent !== undefined ? `more than ${errorPercent} % fail` : p95Ms !== undefined ? `p95 above ${p95Ms} ms` : `${query} above ${above}`))
  return [`${out.paint('bold', metadata.name)}   ${status.state ?? 'Planned'}   ${spec.app} in ${spec.environment}`, spec.hypothesis, '', ...lines, ...(abort.length > 0 ? ['', `It ends at once when ${abort.join(', or ')}.`] : []), ...(status.reason ? ['', status.message!] : []), ...judged].join('\n')
}

function kindOf({ latency, errors, kill, cpu, memory }: GameDaySpec['steps'][number]): string {
  return latency ? `${latency.percent} % of the requests wait ${latency.ms} ms` : errors ? `${errors.percent} % of the requests get ${errors.status}` : kill ? 'instances killed' : cpu ? 'cores busy' : memory ? 'memory in use' : 'the control plane away'
}
