/** Dashboards that every team has. What examples/grafana holds is made of these. */
import type { DashboardSpec, Panel, readyDashboards } from '@pavior/contract'

const requests = 'pavior_http_requests_total'
const durations = 'pavior_http_request_duration_seconds_bucket'
const byApp = '{{app}} {{environment}}'
const ofTeam = '{team="$team"}'
const ofApp = 'team="$team",app="$app",environment="$environment"'

function quantile(share: number, selector: string, by: string[] = []): string {
  return `histogram_quantile(${share}, sum by (${[...by, 'le'].join(', ')}) (rate(${durations}${selector}[$__rate_interval])))`
}

function line(title: string, unit: Panel['unit'], queries: [query: string, legend: string][], more: Partial<Panel> = {}): Panel {
  return { title, kind: 'line', ...(unit === undefined ? {} : { unit }), queries: queries.map(([query, legend]) => ({ query, legend })), ...more }
}

const executive: DashboardSpec = {
  title: 'Executive',
  description: 'How the apps of the team served their users, how fast changes reach them, and what went wrong.',
  range: '7d',
  panels: [
    { title: 'Deployments a day', kind: 'stat', figure: 'deploymentsPerDay', description: 'To environments of every kind, those that failed too.' },
    { title: 'Kept without rollback', kind: 'stat', figure: 'deploymentsKept', unit: 'ratio', description: 'Share of the deployments that succeeded and were not taken back.', thresholds: [{ value: 0, tone: 'bad' }, { value: 0.7, tone: 'warn' }, { value: 0.85, tone: 'good' }] },
    { title: 'From push to live', kind: 'stat', figure: 'pushToLive', unit: 'seconds', description: 'Median time from when the source arrived until its release served.' },
    { title: 'Objectives kept', kind: 'stat', figure: 'slosKept', unit: 'ratio', description: 'Share of the declared objectives with budget left.', thresholds: [{ value: 0, tone: 'bad' }, { value: 1, tone: 'good' }] },
    { title: 'Budget left', kind: 'stat', figure: 'budgetLeft', unit: 'ratio', description: 'Of the objective that is worst off.', thresholds: [{ value: -1000, tone: 'bad' }, { value: 0.001, tone: 'warn' }, { value: 0.25, tone: 'good' }] },
    { title: 'Time to restore', kind: 'stat', figure: 'timeToRestore', unit: 'seconds', description: 'Median, from when an incident was detected until users were well again.' },
    { title: 'Answered well', kind: 'stat', width: 4, unit: 'ratio', description: 'Share of requests without an error of the server, over the whole time shown.', queries: [{ query: `sum(increase(${requests}{team="$team",code!="5xx"}[$__range])) / (sum(increase(${requests}${ofTeam}[$__range])) > 0)` }], thresholds: [{ value: 0, tone: 'bad' }, { value: 0.99, tone: 'warn' }, { value: 0.995, tone: 'good' }] },
    { title: 'Requests', kind: 'stat', width: 4, queries: [{ query: `sum(increase(${requests}${ofTeam}[$__range]))` }] },
    { title: 'Incidents', kind: 'stat', width: 4, figure: 'incidents', description: 'That began in the time shown.' },
    line('Availability by app', 'ratio', [[`sum by (app, environment) (rate(${requests}{team="$team",code!="5xx"}[$__rate_interval])) / (sum by (app, environment) (rate(${requests}${ofTeam}[$__rate_interval])) > 0)`, byApp]], { description: 'Share of requests without an error of the server.' }),
    line('Requests a second by app', 'perSecond', [[`sum by (app, environment) (rate(${requests}${ofTeam}[$__rate_interval]))`, byApp]]),
    { title: 'Objectives', kind: 'list', list: 'slos' },
    { title: 'Failed requests by app', kind: 'bar', description: 'Over the whole time shown.', queries: [{ query: `topk(10, sum by (app, environment) (increase(${requests}{team="$team",code="5xx"}[$__range])) > 0)`, legend: byApp }] },
    { title: 'Latest incidents', kind: 'list', list: 'incidents' },
    { title: 'Latest deployments', kind: 'list', list: 'deployments' },
  ],
}

const onCall: DashboardSpec = {
  title: 'On call',
  description: 'What is wrong now, since when, who has it, and what changed.',
  panels: [
    { title: 'Alerts that fire', kind: 'stat', figure: 'alertsFiring', thresholds: [{ value: 0, tone: 'good' }, { value: 1, tone: 'bad' }] },
    { title: 'Open incidents', kind: 'stat', figure: 'incidentsOpen', thresholds: [{ value: 0, tone: 'good' }, { value: 1, tone: 'bad' }] },
    { title: 'Instances that are not healthy', kind: 'stat', width: 3, queries: [{ query: `sum(1 - pavior_instance_healthy${ofTeam})` }], thresholds: [{ value: 0, tone: 'good' }, { value: 1, tone: 'warn' }] },
    { title: 'Who is on call', kind: 'list', list: 'oncall', width: 5, height: 3 },
    { title: 'Firing', kind: 'list', list: 'alerts', height: 6 },
    { title: 'Incidents', kind: 'list', list: 'incidents', height: 6 },
    line('Share of requests that fail', 'ratio', [[`sum by (app, environment) (rate(${requests}{team="$team",code="5xx"}[$__rate_interval])) / (sum by (app, environment) (rate(${requests}${ofTeam}[$__rate_interval])) > 0)`, byApp]]),
    line('95 of 100 answers within', 'seconds', [[quantile(0.95, ofTeam, ['app', 'environment']), byApp]]),
    line('Requests a second', 'perSecond', [[`sum by (app, environment) (rate(${requests}${ofTeam}[$__rate_interval]))`, byApp]]),
    line('Answers that the router had to give', 'perSecond', [[`sum by (app, environment) (rate(pavior_http_router_errors_total${ofTeam}[$__rate_interval]))`, byApp]], { description: '502, 503 and 504: the instance gave none.' }),
    { title: 'Objectives and their burn', kind: 'list', list: 'slos' },
    { title: 'Recent deployments', kind: 'list', list: 'deployments' },
    line('Restarts', 'short', [[`sum by (app, environment) (increase(pavior_instance_restarts_total${ofTeam}[$__rate_interval]))`, byApp]]),
    line('CPU cores in use', 'short', [[`sum by (app, environment) (rate(pavior_instance_cpu_seconds_total${ofTeam}[$__rate_interval]))`, byApp]]),
  ],
}

const debug: DashboardSpec = {
  title: 'Debug',
  description: 'One app in one environment: what its users see, by release and instance, and what it uses.',
  panels: [
    line('Requests a second by answer', 'perSecond', [[`sum by (code) (rate(${requests}{${ofApp}}[$__rate_interval]))`, '{{code}}']]),
    line('Time to answer', 'seconds', [[quantile(0.5, `{${ofApp}}`), 'p50'], [quantile(0.95, `{${ofApp}}`), 'p95'], [quantile(0.99, `{${ofApp}}`), 'p99']]),
    line('Share of requests that fail, by release', 'ratio', [[`sum by (release) (rate(${requests}{${ofApp},code="5xx"}[$__rate_interval])) / (sum by (release) (rate(${requests}{${ofApp}}[$__rate_interval])) > 0)`, 'v{{release}}']]),
    line('95 of 100 answers within, by release', 'seconds', [[quantile(0.95, `{${ofApp}}`, ['release']), 'v{{release}}']]),
    line('Requests in flight, by instance', 'short', [[`sum by (instance) (rate(pavior_http_request_duration_seconds_sum{${ofApp}}[$__rate_interval]))`, '{{instance}}']], { description: 'On average: how many requests arrive a second, times how long each takes (Little’s law).' }),
    line('95 of 100 answers within, by instance', 'seconds', [[quantile(0.95, `{${ofApp}}`, ['instance']), '{{instance}}']]),
    line('CPU cores by instance', 'short', [[`sum by (instance) (rate(pavior_instance_cpu_seconds_total{${ofApp}}[$__rate_interval]))`, '{{instance}}']], { width: 4 }),
    line('Memory by instance', 'bytes', [[`sum by (instance) (pavior_instance_memory_bytes{${ofApp}})`, '{{instance}}']], { width: 4 }),
    line('Restarts by instance', 'short', [[`sum by (instance) (increase(pavior_instance_restarts_total{${ofApp}}[$__rate_interval]))`, '{{instance}}'], [`sum by (instance) (increase(pavior_instance_oom_kills_total{${ofApp}}[$__rate_interval])) > 0`, '{{instance}} out of memory']], { width: 4 }),
    { title: 'Log lines by level', kind: 'list', list: 'logs' },
    { title: 'Slowest traces', kind: 'list', list: 'traces' },
    { title: 'Changes told from elsewhere', kind: 'list', list: 'changes' },
    { title: 'Deployments', kind: 'list', list: 'deployments' },
    line('Bytes received and sent a second', 'bytesPerSecond', [[`sum(rate(pavior_http_received_bytes_total{${ofApp}}[$__rate_interval]))`, 'received'], [`sum(rate(pavior_http_sent_bytes_total{${ofApp}}[$__rate_interval]))`, 'sent']]),
  ],
}

export const ready: Record<(typeof readyDashboards)[number], DashboardSpec> = { executive, 'on-call': onCall, debug }
