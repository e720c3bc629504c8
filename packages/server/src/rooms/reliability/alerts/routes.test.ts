/** Alerts over HTTP: who may, what a link does, and what is refused where it is written. */
import { expect, test } from 'vitest'
import { testApi, type Answer, type TestApi } from '../../../../test/api.ts'
import { tester } from '../../../../test/kernel.ts'
import type { AuditNote } from '../../../kernel/audit/notes.ts'
import { systemClock } from '../../../kernel/clock.ts'
import { kinds as identityKinds } from '../../identity/index.ts'
import type { Alert } from './groups.ts'
import { alertKinds } from './index.ts'
import { createLinks } from './links.ts'
import { alertRoutes } from './routes.ts'

const key = Buffer.alloc(32, 3)

interface Room {
  api: TestApi
  notes: AuditNote[]
  fire: (name: string) => Promise<Alert>
  link: (alert: Alert, recipient: string, action: 'acknowledge' | 'resolve') => string
  page: (path: string, method?: string) => Promise<Answer>
}

async function room(): Promise<Room> {
  const later: { api?: TestApi } = {}
  /** What the routes need is there when the first request comes. */
  const late = <T>(of: (api: TestApi) => any): T => new Proxy({}, { get: (_, name) => (...given: unknown[]) => of(later.api!)[name](...given) }) as T
  const notes: AuditNote[] = []
  const api = await testApi({
    kinds: [...identityKinds, ...alertKinds],
    routes: [alertRoutes({ database: late((it) => it.database), resources: late((it) => it.resources), events: late((it) => it.recorder), audit: async (note) => void notes.push(note), clock: systemClock, linkKey: async () => key })],
  })
  later.api = api
  const links = createLinks(() => '', key)
  return {
    api,
    notes,
    fire: (name) => api.resources.create<Alert>(tester, 'Alert', 'blue', { metadata: { name }, spec: { severity: 'page', summary: `<b>${name}</b>`, source: { kind: 'AlertRule', name: 'load' } }, status: { state: 'Firing', since: new Date().toISOString() } }),
    link: ({ metadata }, recipient, action) => links({ team: 'blue', name: metadata.name, alert: metadata.uid, recipient, kind: 'Fired' }, new Date())[action]!,
    page: (path, method = 'GET') => api.send(method, path, method === 'POST' ? 'x=1' : undefined, { token: null, type: 'application/x-www-form-urlencoded' }),
  }
}

const acts = '/v1/teams/blue/alerts'

test('who may change things of the team takes an alert, and nobody else learns of it', async () => {
  const { api, fire, notes } = await room()
  await fire('one')
  const send = (token: string, what = 'acknowledge', body: object = {}): Promise<Answer> => api.send('POST', `${acts}/one/${what}`, body, { token })
  expect((await send('view')).status).toBe(403)
  expect((await send('other')).status).toBe(403)
  expect((await api.send('GET', `${acts}/one/notifications`, undefined, { token: 'other' })).status).toBe(403)
  expect((await send('dev', 'acknowledge', { note: 'mine' })).body.status).toMatchObject({ state: 'Acknowledged', acknowledged: { by: 'user:dev', note: 'mine' } })
  expect((await send('dev')).status).toBe(200)
  const second = await send('lead')
  expect([second.status, second.body.details.pavior]).toMatchObject([409, { code: 'ALERT_TAKEN', facts: { by: 'user:dev' } }])
  expect((await send('lead', 'resolve')).body.status).toMatchObject({ state: 'Resolved', verdict: 'ActedUpon' })
  expect((await send('dev', 'verdict', { verdict: 'Perhaps' })).status).toBe(400)
  expect((await send('dev', 'verdict', { verdict: 'Noise' })).body.status.verdict).toBe('Noise')
  expect(notes.map(({ actor, verb }) => `${actor} ${verb}`)).toEqual(['user:dev acknowledge', 'user:lead resolve', 'user:dev judge'])
  expect((await api.send('PATCH', '/apis/pavior.dev/v1/namespaces/blue/alerts/one', { spec: { severity: 'ticket' } }, { token: 'dev', type: 'application/merge-patch+json' })).status).toBe(403)
})

test('a link shows a page, its button acts, twice is once, and it is good for its own alert only', async () => {
  const { api, fire, link, page, notes } = await room()
  const alert = await fire('one')
  const ack = link(alert, 'user:ada', 'acknowledge')
  const shown = await page(ack)
  expect([shown.status, shown.headers.get('content-security-policy')]).toEqual([200, expect.stringContaining("default-src 'none'")])
  expect(shown.text).toContain('&lt;b&gt;one&lt;/b&gt;')
  expect(shown.text).toContain('<form method="post">')
  const state = async (): Promise<string | undefined> => (await api.resources.mustGet<Alert>(tester, { kind: 'Alert', namespace: 'blue', name: 'one' })).status!.state
  expect(await state()).toBe('Firing')
  expect((await page(ack, 'POST')).text).toContain('is acknowledged by user:ada')
  expect((await page(ack, 'POST')).status).toBe(200)
  expect((await page(link(alert, 'channel:ops', 'acknowledge'), 'POST')).text).toContain('user:ada has had one in hand')
  expect(await state()).toBe('Acknowledged')
  expect((await page(`${ack}x`, 'POST')).status).toBe(403)
  expect((await page(link(alert, 'channel:ops', 'resolve'), 'POST')).text).toContain('is resolved by channel:ops by link')
  expect(notes.map(({ actor, verb }) => `${actor} ${verb}`)).toEqual(['user:ada acknowledge', 'channel:ops by link resolve'])
  // Another one of the same name is not meant.
  await api.resources.delete(tester, { kind: 'Alert', namespace: 'blue', name: 'one' })
  await fire('one')
  expect((await page(ack, 'POST')).status).toBe(403)
  expect(await state()).toBe('Firing')
})

test('what cannot be meant is refused where it is written', async () => {
  const { api } = await room()
  const refused = async (plural: string, spec: object): Promise<string[]> => {
    const { status, body } = await api.send('POST', `/apis/pavior.dev/v1/namespaces/blue/${plural}`, { metadata: { name: 'x' }, spec })
    return status === 201 ? [] : body.details.causes.map(({ field }: { field: string }) => field)
  }
  const rule = (condition: object, more: object = {}): Promise<string[]> => refused('alertrules', { severity: 'page', condition, ...more })
  expect(await rule({})).toEqual(['spec.condition'])
  expect(await rule({ metric: { query: 'up', above: 1, below: 2 } })).toEqual(['spec.condition.metric'])
  expect(await rule({ metric: { query: 'up', above: 1, clearBelow: 2 } })).toEqual(['spec.condition.metric.clearBelow'])
  expect(await rule({ metric: { query: 'up{app="$app"}', above: 1 } })).toEqual(['spec.app'])
  for (const url of ['http://169.254.169.254/latest', 'http://[fe80::1]/', 'http://ada:secret@x/']) {
    expect(await rule({ synthetic: { url } })).toEqual(['spec.condition.synthetic.url'])
    expect(await refused('notificationchannels', { webhook: { url } })).toEqual(['spec.webhook.url'])
    expect(await refused('notificationchannels', { pagerduty: { routingKeySecret: 'x', url } })).toEqual(['spec.pagerduty.url'])
    expect(await refused('notificationchannels', { servicenow: { url, user: 'x', passwordSecret: 'x' } })).toEqual(['spec.servicenow.url'])
  }
  expect(await refused('notificationchannels', { email: { host: '169.254.169.254', from: 'a@example.com' } })).toEqual(['spec.email.host'])
  expect(await rule({ synthetic: { path: '/', url: 'http://x' } }, { app: 'shop' })).toEqual(['spec.condition.synthetic'])
  const silence = (more: object): Promise<string[]> => refused('silences', { reason: 'why', matchers: [{ label: 'app', op: '=~', value: 'a' }], until: '2030-01-01T00:00:00Z', ...more })
  expect(await silence({ until: undefined })).toEqual(['spec.until'])
  expect(await silence({ matchers: [{ label: 'app', op: '=~', value: '(' }] })).toEqual(['spec.matchers[0].value'])
  expect(await refused('notificationchannels', { webhook: { url: 'ftp://x' } })).toEqual(['spec.webhook.url'])
  expect(await refused('notificationchannels', { webhook: { url: 'http://x/' }, slack: { urlSecret: 'y' } })).toEqual(['spec'])
  expect(await refused('escalationpolicies', { levels: [{ minutes: 5 }] })).toEqual(['spec.levels[0]'])
})
