/** `metrics` and `top`: what apps measure, asked in PromQL. */
import { fail, isPaviorError } from '@pavior/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { figure, labelsText, nameOf, sparkline, topRows, type Series } from '../metric-text.ts'
import { size, table } from '../output.ts'
import { durationMs } from '../times.ts'

interface MetricsFlags {
  since?: string
  step?: string
  allTeams?: boolean
  source?: string
}

type Data = { resultType: 'scalar'; result: [number, string] } | { resultType: 'string'; result: [number, string] } | { resultType: 'vector'; result: Series[] } | { resultType: 'matrix'; result: Series[] }

const base = '/prometheus/api/v1'
const baseOf = ({ source }: MetricsFlags): string => (source === undefined ? base : `/prometheus/sources/${encodeURIComponent(source)}/api/v1`)
/** A range without a step is shown in about as many points as a line has room. */
const usualPoints = 60
const leastStepMs = 15_000

export function addMetrics(program: Command, context: () => Context): void {
  const metrics = program
    .command('metrics [query]')
    .description('Ask what apps measure, in PromQL.')
    .option('-s, --since <duration>', 'over a time until now, for example 1h; without it: at this moment')
    .option('--step <duration>', 'distance of the points (default: a sixtieth of the time)')
    .option('-A, --all-teams', 'of all teams that you can see')
    .option('--source <name>', 'ask this MetricSource of the team instead of Pavior')
    .addHelpText('before', "Example:\n  pavior metrics 'sum by (app) (rate(pavior_http_requests_total[5m]))' --since 1h\n")
    .action(async (query: string | undefined, flags: MetricsFlags) => {
      if (query === undefined) throw fail('BAD_REQUEST', { message: 'There is no query.', fix: 'For example: pavior metrics pavior_instance_memory_bytes. What there is: pavior metrics list' })
      await show(context(), query, flags)
    })
  metrics
    .command('list [word]')
    .description('List the metrics that there are, with what they mean.')
    .option('-A, --all-teams', 'of all teams that you can see')
    .option('--source <name>', 'of this MetricSource of the team')
    .addHelpText('before', 'Example:\n  pavior metrics list http\n')
    .action(async (word: string | undefined, flags: MetricsFlags) => list(context(), word, flags))
  program
    .command('top')
    .description('Show the apps of the team by what they use and how they answer, over the last five minutes.')
    .option('-A, --all-teams', 'of all teams that you can see')
    .option('--by <column>', 'cpu, memory, requests, errors or p95', 'cpu')
    .addHelpText('before', 'Example:\n  pavior top --by requests\n')
    .action(async (flags: MetricsFlags & { by: string }) => top(context(), flags))
}

function search(here: Context, { allTeams }: MetricsFlags, parameters: Record<string, string>): string {
  return new URLSearchParams({ ...parameters, ...(allTeams ? {} : { team: here.team }) }).toString()
}

async function ask(here: Context, path: string, flags: MetricsFlags, parameters: Record<string, string>): Promise<Data> {
  const { data } = await here.api.json<{ data: Data }>({ path: `${baseOf(flags)}/${path}?${search(here, flags, parameters)}` })
  return data
}

async function show(here: Context, query: string, flags: MetricsFlags): Promise<void> {
  const range = flags.since === undefined ? undefined : durationMs('--since', flags.since)
  const stepMs = range === undefined ? undefined : flags.step === undefined ? Math.max(leastStepMs, Math.ceil(range / usualPoints / 1000) * 1000) : durationMs('--step', flags.step)
  const untilMs = Date.now()
  const times: Record<string, string> = range === undefined ? { time: String(untilMs / 1000) } : { start: String((untilMs - range) / 1000), end: String(untilMs / 1000), step: String(stepMs! / 1000) }
  const data = await ask(here, range === undefined ? 'query' : 'query_range', flags, { query, ...times }).catch((error: unknown) => {
    throw pointedOut(query, error)
  })
  here.out.result(data, () => shown(data))
}

/** The error with the query and a caret below the place that is wrong. */
function pointedOut(query: string, error: unknown): unknown {
  if (!isPaviorError(error) || error.code !== 'QUERY_INVALID') return error
  const { from, to } = (error.details.facts ?? {}) as { from?: number; to?: number }
  if (from === undefined || to === undefined) return error
  const begin = query.lastIndexOf('\n', from - 1) + 1
  const end = query.indexOf('\n', from)
  const line = query.slice(begin, end < 0 ? undefined : end)
  const carets = '^'.repeat(Math.max(1, Math.min(to, begin + line.length) - from))
  return fail('QUERY_INVALID', { ...error.details, why: `${line}\n${' '.repeat(whyIndent + from - begin)}${carets}` })
}

/** Where Output writes what stands behind `why`. */
const whyIndent = 11

function shown(data: Data): string {
  if (data.resultType === 'scalar' || data.resultType === 'string') return data.result[1]
  if (data.result.length === 0) return 'Nothing fits. What there is: pavior metrics list'
  if (data.resultType === 'vector') return table(['SERIES', 'VALUE'], data.result.map(({ metric, value }) => [labelsText(metric), figure(Number(value![1]), nameOf(metric))]))
  const rows = data.result.map(({ metric, values = [] }) => {
    const numbers = values.map(([, text]) => Number(text))
    const known = numbers.filter((value) => Number.isFinite(value))
    const [least, most] = known.length === 0 ? [NaN, NaN] : [Math.min(...known), Math.max(...known)]
    return [labelsText(metric), sparkline(numbers), ...[least, most, numbers.at(-1)!].map((value) => figure(value, nameOf(metric)))]
  })
  return table(['SERIES', 'OVER TIME', 'LEAST', 'MOST', 'LAST'], rows.map(([series, line, ...numbers]) => [series!, line!, ...numbers]))
}

async function list(here: Context, word: string | undefined, flags: MetricsFlags): Promise<void> {
  const { data } = await here.api.json<{ data: Record<string, { type: string; help: string }[]> }>({ path: `${baseOf(flags)}/metadata?${search(here, flags, {})}` })
  const fits = (name: string, help: string): boolean => word === undefined || `${name} ${help}`.toLowerCase().includes(word.toLowerCase())
  const found = Object.entries(data).flatMap(([name, [first]]) => (fits(name, first?.help ?? '') ? [{ name, type: first?.type ?? 'unknown', help: first?.help ?? '' }] : []))
  found.sort((one, other) => (one.name < other.name ? -1 : 1))
  here.out.result(found, () => (found.length === 0 ? (word === undefined ? 'No metrics yet. They come with the first requests, and from what apps send.' : `No metric is called or described so: ${word}`) : table(['METRIC', 'TYPE', 'MEANING'], found.map(({ name, type, help }) => [name, type, help]))))
}

/** What `top` asks, by column. Preview and main environments stand apart. */
const columns: Record<string, string> = {
  cpu: 'sum by (team, app, environment) (rate(pavior_instance_cpu_seconds_total[5m]))',
  // An instance that is gone counts no longer than until its next measurement is missed.
  memory: 'sum by (team, app, environment) (last_over_time(pavior_instance_memory_bytes[45s]))',
  requests: 'sum by (team, app, environment) (rate(pavior_http_requests_total[5m]))',
  errors: 'sum by (team, app, environment) (rate(pavior_http_requests_total{code="5xx"}[5m])) / (sum by (team, app, environment) (rate(pavior_http_requests_total[5m])) > 0)',
  p95: 'histogram_quantile(0.95, sum by (team, app, environment, le) (rate(pavior_http_request_duration_seconds_bucket[5m])))',
}

async function top(here: Context, flags: MetricsFlags & { by: string }): Promise<void> {
  if (!(flags.by in columns)) throw fail('BAD_REQUEST', { message: `"${flags.by}" is not a column.`, fix: `Use one of: ${Object.keys(columns).join(', ')}.` })
  const time = String(Date.now() / 1000)
  const answers = await Promise.all(Object.entries(columns).map(async ([name, query]): Promise<[string, Series[]]> => [name, (await ask(here, 'query', flags, { query, time })).result as Series[]]))
  const rows = topRows(new Map(answers), flags.by)
  const cell = (value: number | undefined, text: (value: number) => string): string => (value === undefined || Number.isNaN(value) ? '-' : text(value))
  here.out.result(rows, () =>
    rows.length === 0
      ? 'Nothing runs that was measured in the last minutes.'
      : table(
          ['APP', ...(flags.allTeams ? ['TEAM'] : []), 'ENVIRONMENT', 'CPU', 'MEMORY', 'REQUESTS', 'ERRORS', 'P95'],
          rows.map(({ app, team, environment, cpu, memory, requests, errors, p95 }) => [
            app, ...(flags.allTeams ? [team] : []), environment,
            cell(cpu, (value) => `${(value * 100).toFixed(1)} %`), cell(memory, size), cell(requests, (value) => `${figure(value, '')}/s`),
            cell(errors, (value) => `${figure(value * 100, '')} %`), cell(p95, (value) => `${figure(value * 1000, '')} ms`),
          ]),
        ),
  )
}
