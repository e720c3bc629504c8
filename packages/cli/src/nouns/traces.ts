/** `traces` and `why`: where the time of requests went, and what happened to one of them. */
import { fail, type Trace, type TraceSummary, type Why } from '@pavior/contract'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { age, table } from '../output.ts'
import { durationMs, timeOf } from '../times.ts'
import { durationText, waterfall } from '../waterfall.ts'

interface TracesFlags {
  app?: string
  environment?: string
  release?: string
  since: string
  slower?: string
  errors?: boolean
  grep?: string
  limit?: string
}

const shownLogs = 10

export function addTraces(program: Command, context: () => Context): void {
  const traces = program
    .command('traces [app]')
    .description('Show the latest traces of an app: how long they took and what failed.')
    .option('-a, --app <name>', 'app (default: from the directory)')
    .option('-e, --environment <name>', 'only this environment')
    .option('-r, --release <version>', 'only this release')
    .option('--since <time>', 'no older than: 10m, 2h, or an ISO time', '30m')
    .option('--slower <duration>', 'only those with a span that took this long, for example 500ms')
    .option('--errors', 'only those in which something of the app failed')
    .option('--grep <text>', 'only those with a span of the app whose name has this in it')
    .option('-n, --limit <count>', 'so many at most', '50')
    .addHelpText('before', 'Example:\n  pavior traces shop --slower 500ms --since 2h\n')
    .action(async (given: string | undefined, flags: TracesFlags) => list(context(), given, flags))
  traces
    .command('show <trace>')
    .description('Show one trace: its spans in time.')
    .addHelpText('before', 'Example:\n  pavior traces show 4bf92f3577b34da6a3ce929d0e0e4736\n')
    .action(async (id: string) => {
      const here = context()
      const trace = await here.api.json<Trace>({ path: `/v1/traces/${encodeURIComponent(id)}` })
      here.out.result(trace, () => drawn(here, trace))
    })
  program
    .command('why <request>')
    .description('Say what happened to a request, by the x-request-id of its answer or the id of its trace.')
    .addHelpText('before', 'Example:\n  pavior why 7d0f6a1b2c3d4e5f\n')
    .action(async (id: string) => {
      const here = context()
      const why = await here.api.json<Why>({ path: `/v1/why/${encodeURIComponent(id)}` })
      here.out.result(why, () => told(here, why))
    })
}

async function list(here: Context, given: string | undefined, flags: TracesFlags): Promise<void> {
  const app = here.app(given ?? flags.app)
  if (flags.release !== undefined && !/^v?[0-9]+$/.test(flags.release)) throw fail('BAD_REQUEST', { message: `${flags.release} is no release such as v3.` })
  const search = new URLSearchParams({
    from: timeOf('--since', flags.since, Date.now()),
    ...(flags.environment === undefined ? {} : { environment: flags.environment }),
    ...(flags.release === undefined ? {} : { release: flags.release.replace('v', '') }),
    ...(flags.slower === undefined ? {} : { least: String(Math.round(durationMs('--slower', flags.slower))) }),
    ...(flags.errors ? { failed: '1' } : {}),
    ...(flags.grep === undefined ? {} : { name: flags.grep }),
    ...(flags.limit === undefined ? {} : { limit: flags.limit }),
  })
  const { items } = await here.api.json<{ items: TraceSummary[] }>({ path: `/v1/teams/${encodeURIComponent(here.team)}/apps/${encodeURIComponent(app)}/traces?${search}` })
  here.out.result(items, () => (items.length === 0 ? `No traces of ${app} since then. Every request that comes through the router makes one.` : table(['WHEN', 'TOOK', 'STATUS', 'SPANS', 'WHAT', 'TRACE'], items.map((item) => rowOf(here, item)))))
}

function rowOf(here: Context, { atMs, durationMs: took, failed, status, spans, name, apps, traceId }: TraceSummary): string[] {
  const more = apps.length > 1 ? ` (${apps.length} apps)` : ''
  return [age(new Date(atMs).toISOString()), durationText(took), here.out.paint(failed ? 'red' : 'dim', status === undefined ? (failed ? 'failed' : 'ok') : String(status)), String(spans), `${name}${more}`, traceId]
}

function drawn(here: Context, { spans, hidden, cut }: Trace): string {
  const widest = Math.max(...spans.map(({ durationMs: took }) => durationText(took).length))
  return [
    ...waterfall(spans).map(({ name, duration, bar, failed }) => `${failed ? here.out.paint('red', '✖') : ' '} ${name} ${duration.padStart(widest)}  ${here.out.paint(failed ? 'red' : 'cyan', bar)}`),
    ...(hidden > 0 ? [`  ${hidden} more of teams that you do not see.`] : []),
    ...(cut ? ['  There are more than are shown.'] : []),
  ].join('\n')
}

function told(here: Context, { requestId, traceId, findings, times, trace, logs, release }: Why): string {
  const [first = '', ...more] = findings
  return [
    here.out.paint('bold', first),
    ...more.map((finding) => `  ${finding}`),
    ...(times.length > 0 ? ['', table(['TIME', 'SHARE', 'WHERE'], times.map(({ what, ms, share }) => [durationText(ms), `${Math.round(share * 100)} %`, what]))] : []),
    ...(trace.spans.length > 1 ? ['', drawn(here, trace)] : []),
    ...(logs.length > 0 ? ['', ...logs.slice(0, shownLogs).map(({ at, app, level, line }) => `${here.out.paint('dim', at)} ${here.out.paint('cyan', app)} ${level} ${line}`)] : []),
    ...(logs.length > shownLogs ? [`… ${logs.length - shownLogs} more: pavior why ${requestId || traceId} --json`] : []),
    '',
    here.out.paint('dim', [requestId && `request ${requestId}`, `trace ${traceId}`, release && `release v${release.version}`, release?.deployment && `deployment ${release.deployment}`, release?.commit && `commit ${release.commit}`].filter(Boolean).join(' · ')),
  ].join('\n')
}
