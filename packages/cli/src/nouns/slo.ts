/** `slo`: what is promised, how it stands, and who burned the budget. */
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { burnWindows, fail, objectiveText, type BurnWindow, type Resource, type SloBurns, type SloBurnShare, type SloHistory, type SloSpec, type SloStatus } from '@pavior/contract'
import type { Context } from '../context.ts'
import { table } from '../output.ts'
import { shownTime } from '../times.ts'

type Slo = Resource<SloSpec, SloStatus>

interface ImportFlags {
  app?: string
  environment?: string
  dryRun?: boolean
}

const worst: Record<string, number> = { Exhausted: 0, Burning: 1, Healthy: 2, NoData: 3 }
const barWidth = 20

export function addSlo(program: Command, context: () => Context): void {
  const slo = program.command('slo').description('What is promised, how it stands, and who burned the budget.').addHelpText('before', 'Example:\n  pavior slo list\n')
  slo
    .command('list')
    .description('List the objectives of the team, the worst first.')
    .option('-a, --app <name>', 'only of this app')
    .addHelpText('before', 'Example:\n  pavior slo list --app checkout-api\n')
    .action(async (flags: { app?: string }) => {
      const { api, out, team } = context()
      const found = (await api.list<Slo>('slos', team)).filter(({ spec }) => flags.app === undefined || spec.app === flags.app).toSorted(byTrouble)
      out.result(found, () => (found.length === 0 ? 'No objectives. The platform proposes some for apps with traffic in production; or declare one: pavior explain slo' : table(['NAME', 'APP', 'ENVIRONMENT', 'OBJECTIVE', 'NOW', 'LEFT', 'BURN 6H', 'STATE'], found.map(row))))
    })

  slo
    .command('show <name>')
    .description('How an objective stands: budget, burn, forecast, and why.')
    .addHelpText('before', 'Example:\n  pavior slo show checkout-api-availability\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const found = await api.get<Slo>('slos', team, name)
      out.result(found, () => shown(found).join('\n'))
    })

  slo
    .command('history <name>')
    .description('The budget over time, day by day.')
    .option('--days <days>', 'how far back (default: the window)')
    .addHelpText('before', 'Example:\n  pavior slo history checkout-api-availability --days 7\n')
    .action(async (name: string, flags: { days?: string }) => {
      const { api, out, team } = context()
      const history = await api.json<SloHistory>({ path: `/v1/teams/${team}/slos/${encodeURIComponent(name)}/history${flags.days === undefined ? '' : `?days=${encodeURIComponent(flags.days)}`}` })
      const rows = daysOf(history)
      out.result(history, () => (rows.length === 0 ? 'Nothing was counted in this time.' : table(['DAY (UTC)', 'GOOD', 'BAD', 'OF', 'LEFT AT ITS END'], rows)))
    })

  slo
    .command('who-burned <name>')
    .description('Which minutes, releases and answers used the budget.')
    .addHelpText('before', 'Example:\n  pavior slo who-burned checkout-api-availability\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const burns = await api.json<SloBurns>({ path: `/v1/teams/${team}/slos/${encodeURIComponent(name)}/burned` })
      out.result(burns, () => (burns.used === 0 ? 'Nothing burned the budget in this window.' : burnText(burns)))
    })

  slo
    .command('adopt <name>')
    .description('Confirm an objective that the platform proposed.')
    .addHelpText('before', 'Example:\n  pavior slo adopt checkout-api-availability\n')
    .action(async (name: string) => {
      const { api, out, team } = context()
      const adopted = await api.merge<Slo>('slos', team, name, { spec: { draft: null } })
      out.result(adopted, `${name} is a promise of team ${team} now: ${objectiveText(adopted.spec.objective)}. Change it with pavior edit slo ${name}.`)
    })

  slo
    .command('import <file>')
    .description('Take over OpenSLO v1 documents; - reads standard input.')
    .option('-a, --app <name>', 'app that they are about (default: their service)')
    .option('-e, --environment <name>', 'environment (default: production)')
    .option('--dry-run', 'say what would be, change nothing')
    .addHelpText('before', 'Example:\n  pavior slo import slos.yaml --app checkout-api\n')
    .action(async (file: string, { app, environment, dryRun = false }: ImportFlags) => {
      const { api, out, team } = context()
      const text = await textOf(file)
      const { items } = await api.json<{ items: Slo[] }>({ method: 'POST', path: `/v1/teams/${team}/slos/import`, body: { text, dryRun, ...(app === undefined ? {} : { app }), ...(environment === undefined ? {} : { environment }) } })
      out.result(items, () => items.map(({ metadata, spec }) => `${metadata.name}: ${objectiveText(spec.objective)} of ${spec.app}${dryRun ? ', not written' : ''}`).join('\n'))
    })

  slo
    .command('export [name]')
    .description('Print objectives as OpenSLO v1: one, or all of the team.')
    .addHelpText('before', 'Example:\n  pavior slo export > slos.yaml\n')
    .action(async (name: string | undefined) => {
      const { api, out, team } = context()
      const exported = await api.json<{ text: string; leftOut: { name: string; why: string }[] }>({ path: `/v1/teams/${team}/slos/export${name === undefined ? '' : `?name=${encodeURIComponent(name)}`}` })
      for (const left of exported.leftOut) out.progress(`${left.name} is left out. ${left.why}`)
      out.result(exported, exported.text.trimEnd())
    })
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file === '-' ? '/dev/stdin' : file, 'utf8')
  } catch (error) {
    throw fail('BAD_REQUEST', { message: `${file} cannot be read: ${(error as Error).message}` })
  }
}

function byTrouble(one: Slo, other: Slo): number {
  const rank = ({ status }: Slo): number => worst[status?.state ?? 'NoData']!
  return rank(one) - rank(other) || (one.status?.budget?.remaining ?? 1) - (other.status?.budget?.remaining ?? 1) || one.metadata.name.localeCompare(other.metadata.name)
}

function row({ metadata, spec, status }: Slo): string[] {
  const { state = 'NoData', sli, budget, burn } = status ?? {}
  const rate = burn?.['6h']
  return [metadata.name, spec.app ?? '-', spec.app === undefined ? '-' : (spec.environment ?? 'production'), objectiveText(spec.objective), sli === undefined ? '-' : goodText(sli), budget ? leftText(budget.remaining) : '-', rate === undefined ? '-' : `${rate}x`, `${state}${spec.draft ? ' (draft)' : ''}`]
}

/** Rounded down: it never says more than was so. */
function goodText(sli: number): string {
  return `${Math.floor(sli * 1e5) / 1e3} %`
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`
}

/** What is used beyond the budget says more than a share below nothing. */
function leftText(remaining: number): string {
  return remaining > 0 ? percent(remaining) : `none, ${percent(1 - remaining)} used`
}

function shown({ metadata, spec, status }: Slo): string[] {
  const { state = 'NoData', since, message = 'Nothing was counted yet.', budget, burn = {}, forecast = [], alerts = [], reasons = [], gapMinutes, from, observedThrough } = status ?? {}
  const rates = (Object.keys(burnWindows) as BurnWindow[]).flatMap((window) => (burn[window] === undefined ? [] : [`${burn[window]}x over ${window}`]))
  return [
    `${metadata.name}${spec.draft ? ' (a draft: pavior slo adopt ' + metadata.name + ')' : ''}`,
    `  ${(spec.description ?? '').trim()}`,
    `  state    ${state}${since === undefined ? '' : ` since ${shownTime(since)}`}`,
    `           ${message}`,
    ...(budget ? [`  budget   ${bar(budget.remaining)} ${budget.remaining > 0 ? `${percent(budget.remaining)} left` : `${percent(1 - budget.remaining)} used`}${budget.unit === 'share' ? '' : `: ${round(budget.used)} bad, ${round(budget.total)} ${budget.unit} are allowed so far`}`] : []),
    ...(rates.length > 0 ? [`  burn     ${rates.join(', ')}`] : []),
    ...forecast.map(({ by, exhaustedAt }) => `  forecast by the burn of ${by} nothing is left at ${shownTime(exhaustedAt)}`),
    ...alerts.map(({ alert, since: begun, text }) => `  ${alert.padEnd(8)} since ${shownTime(begun)}: ${text}`),
    ...reasons.map((reason, index) => `  ${index === 0 ? 'why     ' : '        '} ${reason}`),
    `  window   ${spec.window?.calendar ? `the ${spec.window.calendar.period} in ${spec.window.calendar.timeZone}` : (spec.window?.rolling ?? '28d')}${from === undefined ? '' : `, counted from ${shownTime(from)}`}${observedThrough === undefined ? '' : ` to ${shownTime(observedThrough)}`}`,
    ...(gapMinutes ? [`  gaps     ${gapMinutes} min of the window are not known`] : []),
    ...(budget && budget.used > 0 ? [`  more     pavior slo who-burned ${metadata.name}`] : []),
  ].filter((line) => line.trim() !== '')
}

function bar(remaining: number): string {
  const full = Math.round(Math.min(1, Math.max(0, remaining)) * barWidth)
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}]`
}

function daysOf({ times, remaining, bad, total }: SloHistory): string[][] {
  const days = new Map<string, { bad: number; total: number; left: number | null }>()
  for (const [index, time] of times.entries()) {
    // A step that ends at midnight is of the day before.
    const day = new Date(time * 1000 - 1).toISOString().slice(0, 10)
    const before = days.get(day) ?? { bad: 0, total: 0, left: null }
    days.set(day, { bad: before.bad + bad[index]!, total: before.total + total[index]!, left: remaining[index] ?? before.left })
  }
  return [...days].filter(([, one]) => one.left !== null).map(([day, one]) => [day, one.total > 0 ? goodText(1 - one.bad / one.total) : '-', String(round(one.bad)), String(round(one.total)), leftText(one.left!)])
}

function round(value: number): number {
  return Number(value.toFixed(2))
}

function burnText({ used, allowed, releases, causes, runs }: SloBurns): string {
  const shares = (title: string, all: SloBurnShare[]): string[] => (all.length === 0 ? [] : ['', table([title, 'BAD', 'OF THE BUDGET'], all.map(({ name, bad, ofBudget }) => [name, String(round(bad)), percent(ofBudget)]))])
  return [
    `${round(used)} bad, ${round(allowed)} are allowed.`,
    ...shares('RELEASE', releases),
    ...shares('ANSWER', causes),
    '',
    table(['FROM', 'UNTIL', 'MINUTES', 'BAD', 'OF THE BUDGET', 'MOST BY'], runs.map(({ from, until, minutes, bad, ofBudget, release }) => [shownTime(from), shownTime(until), String(minutes), String(round(bad)), percent(ofBudget), release === undefined ? '-' : `v${release}`])),
  ].join('\n')
}
