/** A bad release from its first failed request to what was learned: alert, incident, suspect, the way back, status page, postmortem; over a crash of the server. */
import { beforeAll, expect, test } from 'vitest'
import type { AlertStatus, IncidentEntry, IncidentSpec, IncidentStatus, PostmortemSpec, ReliabilityFigures, Resource } from '@pavior/contract'
import { appDirectory, newPlatform, until, writeFiles, type Platform } from './platform.ts'

type Incident = Resource<IncidentSpec, IncidentStatus>

let platform: Platform
/** Objectives are looked at every ten seconds on a quiet machine, incidents every five. */
const patienceMs = 90_000
const base = '/apis/pavior.dev/v1/namespaces/default'
beforeAll(async () => {
  platform = await newPlatform()
})

const app = (status: number): Record<string, string> => ({
  'package.json': JSON.stringify({ name: 'shop', private: true, scripts: { start: 'node server.js' } }),
  'server.js': `const server = require('http').createServer((request, response) => response.writeHead(${status}).end('<b>')).listen(process.env.PORT)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`,
})

async function incident(name = 'inc-1'): Promise<Incident> {
  return (await platform.api('GET', `${base}/incidents/${name}`)).body
}

/** As the platform itself writes it. */
async function alertIs(status: AlertStatus): Promise<void> {
  const { body } = await platform.api('GET', `${base}/alerts/shop-answers`)
  expect((await platform.api('PUT', `${base}/alerts/shop-answers/status`, { ...body, status })).status).toBe(200)
}

async function ask(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await platform.get('shop.localhost')
}

async function serverAnswers(): Promise<void> {
  await until('the server to answer', async () => (await platform.api('GET', '/v1/whoami')).status === 200)
}

test('a bad release', async () => {
  const directory = await appDirectory('shop', app(200))
  expect((await platform.cli(['deploy', directory])).code).toBe(0)
  // Even with nothing but errors it burns slowly enough to page nobody: the alert is the test's own.
  await platform.api('POST', `${base}/slos`, { metadata: { name: 'shop-answers' }, spec: { app: 'shop', indicator: { golden: 'requests' }, objective: 0.3 } })
  await ask(5)
  await writeFiles(directory, app(500))
  expect((await platform.cli(['deploy', directory, '--strategy', 'rolling'])).code).toBe(0)
  await ask(20)
  expect((await platform.api('POST', `${base}/alerts`, { metadata: { name: 'shop-answers' }, spec: { severity: 'page', summary: 'The error budget of shop-answers burns.', source: { kind: 'Slo', name: 'shop-answers' }, app: 'shop', environment: 'production' } })).status).toBe(201)
  // The server dies between the alert and its incident.
  const since = new Date().toISOString()
  await alertIs({ state: 'Firing', since })
  process.kill(await platform.pidOf('server'), 'SIGKILL')
  await serverAnswers()

  await until('the suspect with the errors that it made', async () => (await incident()).status?.suspects?.[0]?.release === 2 && (await incident()).status!.impact!.failed === 20 && (await incident()).status!.impact!.budgets.length === 1, patienceMs)
  const open = await incident()
  expect(open).toMatchObject({ spec: { title: 'The error budget of shop-answers burns.', app: 'shop', environment: 'production' }, status: { state: 'Investigating', detectedAt: since, alerts: { total: 1, firing: 1 }, cause: { name: 'shop-answers' } } })
  expect(open.status!.suspects![0]!.reasons).toContain('20 of 20 failed requests came from v2, and v1 answered well in the same time.')
  expect((await platform.json<Incident[]>(['incident', 'list', '--open'])).map(({ metadata }) => metadata.name)).toEqual(['inc-1'])

  // Two responders at once: both are told of the one who has it.
  const [one, other] = await Promise.all([platform.api('POST', '/v1/teams/default/incidents/inc-1/acknowledge', {}), platform.api('POST', '/v1/teams/default/incidents/inc-1/acknowledge', {})])
  expect([one.status, other.status, one.body.status.acknowledged]).toEqual([200, 200, other.body.status.acknowledged])
  await platform.cli(['incident', 'severity', 'inc-1', 'sev2', '--reason', 'Nobody can pay.'])
  await platform.cli(['incident', 'note', 'inc-1', 'Looks like <script>v2</script>'])
  const followed = await platform.cli(['deploy', directory, '--strategy', 'rolling'])
  expect(followed.stderr).toContain('incident  The incident inc-1 (sev2, Investigating) of shop is open')

  const { command } = (await incident()).status!.suspects!.find(({ release }) => release === 2)!.undo ?? { command: 'pavior rollback v1 --app shop --environment production --team default' }
  const back = await platform.cli(command.split(' ').slice(1))
  expect(back.stdout).toContain('shop is back on v1.')
  expect(await platform.get('shop.localhost')).toMatchObject({ status: 200 })

  await alertIs({ state: 'Resolved', since, resolvedAt: new Date().toISOString() })
  await until('users to be well', async () => (await incident()).status?.state === 'Mitigated', patienceMs)
  expect((await platform.cli(['incident', 'resolve', 'inc-1', '--note', 'v1 serves.'])).stdout).toMatch(/^inc-1 is Resolved\./)
  expect((await platform.cli(['incident', 'close', 'inc-1'])).stdout).toMatch(/pavior postmortem show inc-1/)
  const refused = await platform.cli(['incident', 'state', 'inc-1', 'identified'])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('INCIDENT_CLOSED')])

  await until('the draft', async () => (await platform.api('GET', `${base}/postmortems/inc-1`)).status === 200, patienceMs)
  const draft = (await platform.api('GET', `${base}/postmortems/inc-1`)).body as Resource<PostmortemSpec>
  expect(draft.spec.impact).toMatch(/of \d+ requests failed, in \d+ minutes?\.\n- \d+(\.\d+)? % of the error budget of shop-answers went\./)
  expect(draft.spec.timeline).toContain('Looks like \\<script\\>v2\\</script\\>')
  expect(draft.spec.factors).toContain('v2 of shop went to production')
  expect((await platform.cli(['postmortem', 'publish', 'inc-1'])).stdout).toBe('The postmortem of inc-1 is published; 0 of its actions are open.\n')

  const { items } = await platform.json<{ items: IncidentEntry[] } | IncidentEntry[]>(['incident', 'timeline', 'inc-1']).then((read) => (Array.isArray(read) ? { items: read } : read))
  const told = items.map(({ kind, data }) => `${kind}${data?.release === undefined ? '' : ` v${String(data.release)} ${String(data.phase)}`}`)
  for (const wanted of ['deployment v2 Begun', 'deployment v2 Succeeded', 'deployment v1 Succeeded', 'opened', 'alert', 'acknowledged', 'severity', 'note', 'evidence', 'postmortem']) expect(told).toContain(wanted)
  expect(items.some(({ kind, text }) => kind === 'evidence' && /failed with 500 .* pavior why /.test(text))).toBe(true)
  expect(told.filter((line) => line === 'opened' || line === 'acknowledged')).toHaveLength(2)
  expect(items.filter(({ kind, data }) => kind === 'alert' && data?.state === 'Firing')).toHaveLength(1)
  expect(await platform.json<ReliabilityFigures>(['incident', 'figures'])).toMatchObject({ incidents: 1, bySeverity: { sev2: 1 }, restore: { count: 1 }, postmortems: { required: 1 } })
})

test('the public reads what was published, once the team lets it; nothing else', async () => {
  const opened = await platform.cli(['incident', 'open', 'db-7 has no disk', '--app', 'shop', '--severity', 'sev1'])
  expect(opened.stdout).toBe('inc-2 is open. Take it: pavior incident ack inc-2\n')
  const read = async (path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string; headers: Headers }> => {
    const response = await fetch(new URL(path, platform.url), { headers })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  expect((await read('/status/default')).status).toBe(404)
  const made = await platform.api('POST', `${base}/statuspages`, { metadata: { name: 'main' }, spec: { title: 'The shop', components: [{ name: 'Checkout', app: 'shop' }] } })
  expect(made.status).toBe(201)
  const token = { authorization: `Bearer ${await platform.token()}` }
  await until('those inside to read it', async () => (await read('/status/default', token)).status === 200)
  expect((await read('/status/default')).status).toBe(404)
  await platform.api('PATCH', `${base}/statuspages/main`, JSON.stringify({ spec: { public: true } }), { 'content-type': 'application/merge-patch+json' })
  await until('everybody to read it', async () => (await read('/status/default')).status === 200)
  expect((await platform.cli(['incident', 'update', 'inc-2', 'The disk is full.', '--public', 'Payments <fail>.'])).code).toBe(0)
  await until('the update', async () => (await read('/status/default')).text.includes('Payments &lt;fail&gt;.'))
  const page = await read('/status/default')
  expect(page.text).toContain('Trouble with Checkout')
  expect(page.text).toContain('Major outage')
  expect(page.text).not.toMatch(/db-7|disk|inc-2|admin|<script/)
  expect(page.headers.get('cache-control')).toBe('public, max-age=15')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  const feed = await read('/status/default/feed.atom')
  expect([feed.headers.get('content-type'), feed.text]).toEqual(['application/atom+xml; charset=utf-8', expect.stringContaining('<content type="text">Payments &lt;fail&gt;.</content>')])
  const overview = await read('/status')
  expect(overview.text).toMatch(/Running apps[\s\S]*Operational[\s\S]*href="\/status\/default">The shop/)
  for (const path of ['/status/nobody', `/status/${'x'.repeat(200)}`, '/status/%3Cscript%3E', '/status/..%2f..']) expect([404, 400]).toContain((await read(path)).status)
})
