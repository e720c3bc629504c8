/** `dashboard`: those that every team has and its own; shown in the terminal, taken over from Grafana and given to it. */
import { readFile, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { allValues, fail, fillQuery, isInstant, queriesOf, rangeMinutes, readyDashboards, timeValues, usedVariables, type AskedQueries, type DashboardImport, type DashboardSpec, type Figures, type QueryAnswer, type Resource } from '@pavior/contract'
import type { Context } from '../context.ts'
import { shownDashboard } from '../dashboard-text.ts'
import { table } from '../output.ts'
import { durationMs } from '../times.ts'

type Dashboard = Resource<DashboardSpec>

interface ShowFlags {
  since?: string
  app?: string
  environment?: string
  set: string[]
}

interface ImportFlags {
  name?: string
  replace?: boolean
  dryRun?: boolean
}

/** As many points as a line has room. */
const points = 40
const leastStepSeconds = 15

export function addDashboard(program: Command, context: () => Context): void {
  const dashboard = program.command('dashboard').description('Panels over what is measured.').addHelpText('before', 'Example:\n  pavior dashboard show on-call\n')
  addReading(dashboard, context)
  addWriting(dashboard, context)
  addGrafana(dashboard, context)
}

function addReading(dashboard: Command, context: () => Context): void {
  dashboard
    .command('list')
    .description('The dashboards of the team: those that every team has, and its own.')
    .addHelpText('before', 'Example:\n  pavior dashboard list\n')
    .action(async () => {
      const { api, out, team } = context()
      const own = await api.list<Dashboard>('dashboards', team)
      const rows = [...(await readyOnes(context())).map(({ name, spec }) => ({ name, spec, ready: true })), ...own.map(({ metadata, spec }) => ({ name: metadata.name, spec, ready: false }))]
      out.result(rows, () => table(['NAME', 'PANELS', 'OF', 'TITLE'], rows.map(({ name, spec, ready }) => [name, String(spec.panels.length), ready ? 'every team' : team, spec.title])))
    })
  dashboard
    .command('show <name>')
    .description('What the panels of a dashboard show now: figures, and lines over time.')
    .option('-s, --since <duration>', 'over a time until now (default: as the dashboard says)')
    .option('-a, --app <name>', 'app, for dashboards about one')
    .option('-e, --environment <name>', 'environment (default: production)')
    .option('--set <name=value>', 'a variable; may be given several times', (value: string, before: string[]) => [...before, value], [])
    .addHelpText('before', 'Example:\n  pavior dashboard show debug --app shop --since 30m\n')
    .action(async (name: string, flags: ShowFlags) => show(context(), name, flags))
}

function addWriting(dashboard: Command, context: () => Context): void {
  dashboard
    .command('add <ready>')
    .description('Save a copy of a dashboard that every team has; it is the team’s own then, to change with pavior edit dashboard or in the portal.')
    .option('-n, --name <name>', 'what the copy is called (default: our-<ready>)')
    .addHelpText('before', 'Example:\n  pavior dashboard add on-call --name night-shift\n')
    .action(async (ready: string, { name = `our-${ready}` }: { name?: string }) => {
      const here = context()
      const found = (await readyOnes(here)).find((one) => one.name === ready)
      if (!found) throw fail('NOT_FOUND', { message: `There is no ready dashboard "${ready}".`, fix: `There are ${readyDashboards.join(', ')}.` })
      const made = await here.api.json<Dashboard>({ method: 'POST', path: here.api.path('dashboards', here.team), body: { apiVersion: 'pavior.dev/v1', kind: 'Dashboard', metadata: { name }, spec: found.spec } })
      here.out.result(made, `${name} has ${found.spec.panels.length} panels. Change it: pavior edit dashboard ${name}`)
    })
  dashboard
    .command('remove <name>')
    .description('Delete a dashboard of the team. What it shows is not touched.')
    .addHelpText('before', 'Example:\n  pavior dashboard remove night-shift\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      if ((readyDashboards as readonly string[]).includes(name)) throw fail('BAD_REQUEST', { message: `Every team has the dashboard ${name}; it cannot be removed.` })
      const gone = await api.json<Dashboard>({ method: 'DELETE', path: api.path('dashboards', team, name) })
      out.result(gone, `${name} is gone.`)
    })
}

function addGrafana(dashboard: Command, context: () => Context): void {
  dashboard
    .command('import <file>')
    .description('Take over a dashboard of Grafana, and say what of it does not fit; - reads standard input.')
    .option('-n, --name <name>', 'what it is called here (default: made of its title)')
    .option('--replace', 'write over one of the same name')
    .option('--dry-run', 'say what would be, change nothing')
    .addHelpText('before', 'Example:\n  pavior dashboard import node-exporter.json --name nodes\n')
    .action(async (file: string, { name, replace = false, dryRun = false }: ImportFlags) => {
      const { api, out, team } = context()
      const text = await textOf(file)
      const taken = await api.json<DashboardImport>({ method: 'POST', path: `/v1/teams/${encodeURIComponent(team)}/dashboards/import`, body: { text, replace, dryRun, ...(name === undefined ? {} : { name }) } })
      for (const { name: what, why } of taken.leftOut) out.progress(`${what}: ${why}`)
      const count = taken.spec.panels.length
      out.result(taken, `${taken.name} has ${count} ${count === 1 ? 'panel' : 'panels'}${dryRun ? ', and is not written' : ''}.${taken.leftOut.length === 0 ? ' All of it was taken.' : ''}`)
    })
  dashboard
    .command('export <name>')
    .description('Print a dashboard as JSON for Grafana, or as a resource for pavior apply.')
    .option('--grafana', 'for Grafana')
    .option('-o, --output <file>', 'write it there')
    .addHelpText('before', 'Example:\n  pavior dashboard export on-call --grafana -o on-call.json\n')
    .action(async (name: string, { grafana = false, output }: { grafana?: boolean; output?: string }) => {
      const here = context()
      const exported = grafana ? await forGrafana(here, name) : { apiVersion: 'pavior.dev/v1', kind: 'Dashboard', metadata: { name }, spec: (await find(here, name)).spec }
      const text = JSON.stringify(exported, null, 2)
      if (output === undefined) return here.out.result(exported, text)
      await writeFile(output, `${text}\n`)
      here.out.result(exported, `${output} is written.`)
    })
}

async function forGrafana({ api, out, team }: Context, name: string): Promise<object> {
  const { dashboard, leftOut } = await api.json<{ dashboard: object; leftOut: { name: string; why: string }[] }>({ path: `/v1/teams/${encodeURIComponent(team)}/dashboards/export?name=${encodeURIComponent(name)}` })
  for (const left of leftOut) out.progress(`${left.name}: ${left.why}`)
  return dashboard
}

async function readyOnes({ api }: Context): Promise<{ name: string; spec: DashboardSpec }[]> {
  return (await api.json<{ items: { name: string; spec: DashboardSpec }[] }>({ path: '/v1/dashboards/library' })).items
}

async function find(here: Context, name: string): Promise<{ spec: DashboardSpec }> {
  return (await readyOnes(here)).find((one) => one.name === name) ?? here.api.get<Dashboard>('dashboards', here.team, name)
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file === '-' ? '/dev/stdin' : file, 'utf8')
  } catch (error) {
    throw fail('BAD_REQUEST', { message: `${file} cannot be read: ${(error as Error).message}` })
  }
}

async function show(here: Context, name: string, flags: ShowFlags): Promise<void> {
  const { spec } = await find(here, name)
  const lengthSeconds = flags.since === undefined ? rangeMinutes[spec.range ?? '1h'] * 60 : durationMs('--since', flags.since) / 1000
  const step = Math.max(leastStepSeconds, Math.ceil(lengthSeconds / points))
  const until = Math.floor(Date.now() / 1000)
  const values = { ...valuesOf(here.team, spec, flags), ...timeValues(lengthSeconds, step) }
  const team = encodeURIComponent(here.team)
  const queries = queriesOf(spec).map(({ panel, query }) => ({ query: fillQuery(query.query, values).text, instant: isInstant(panel, query) }))
  const answers: QueryAnswer[] = []
  if (queries.length > 0) {
    const body: AskedQueries = { from: until - lengthSeconds, until, step, queries }
    for await (const answer of here.api.lines<QueryAnswer>({ method: 'POST', path: `/v1/teams/${team}/queries`, body })) answers[answer.index] = answer
  }
  const wanted = spec.panels.some(({ figure }) => figure !== undefined)
  const figures = wanted ? await here.api.json<Figures>({ path: `/v1/teams/${team}/figures?minutes=${Math.ceil(lengthSeconds / 60)}` }) : {}
  here.out.result({ spec, answers, figures }, () => shownDashboard(spec, answers, figures))
}

/** What is not given has to have a default. */
function valuesOf(team: string, spec: DashboardSpec, { app, environment = 'production', set }: ShowFlags): Record<string, string> {
  const given = Object.fromEntries(set.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]))
  if (app === undefined && usedVariables(spec).has('app')) throw fail('BAD_REQUEST', { message: `${spec.title} is about one app.`, fix: 'Name it with --app.' })
  const own = (spec.variables ?? []).map(({ name, default: usual, includeAll = false, values }) => {
    const value = given[name] ?? usual ?? (includeAll ? allValues : values?.[0])
    if (value === undefined) throw fail('BAD_REQUEST', { message: `There is no value for $${name}.`, fix: `Give it with --set ${name}=….` })
    return [name, value] as const
  })
  return { team, environment, ...(app === undefined ? {} : { app }), ...Object.fromEntries(own) }
}
