import { expect, test } from 'vitest'
import type { IncidentEntry, IncidentSpec, IncidentStatus, StatusPageSpec } from '@pavior/contract'
import type { Incident } from '../incidents/types.ts'
import { contentPolicy, escaped, feedXml, pageHtml } from './html.ts'
import { historyDays, viewOf, type ViewContext } from './plan.ts'

const now = new Date('2026-03-02T03:00:00Z')
const spec: StatusPageSpec = { title: 'Shop', public: true, components: [{ name: 'Checkout', app: 'shop' }, { name: 'Search', slo: 'search-answers' }] }

function incident(uid: string, given: Partial<IncidentSpec>, status: IncidentStatus = {}): Incident {
  return { apiVersion: 'pavior.dev/v1', kind: 'Incident', metadata: { name: `inc-${uid}`, namespace: 'blue', uid, resourceVersion: '1', creationTimestamp: '2026-03-02T02:00:00Z' }, spec: { title: 'The password of db-7 leaked', severity: 'sev2', app: 'shop', environment: 'production', ...given }, status: { state: 'Investigating', ...status } } as Incident
}

const update = (text: string, at = '2026-03-02T02:10:00.000Z'): IncidentEntry => ({ id: '1', at, kind: 'published', actor: 'user:ada', text, data: { state: 'Investigating' } })
const slo = (name: string, app: string, page: boolean, uid = name): ViewContext['slos'][number] => ({ metadata: { name, uid, namespace: 'blue' }, spec: { app, indicator: { golden: 'requests' }, objective: 0.9 }, status: page ? { alerts: [{ alert: 'page', since: '2026-03-02T02:00:00Z', text: 'internal words' }] } : {} }) as never
const view = (more: Partial<ViewContext>): ReturnType<typeof viewOf> => viewOf({ spec, incidents: [], published: new Map(), slos: [], days: new Map(), now, ...more })

test('nothing gets out that nobody published: no titles, names, people or other components', () => {
  const hidden = incident('a', {})
  expect(view({ incidents: [hidden] })).toMatchObject({ overall: 'Operational', incidents: [] })
  const shown = view({ incidents: [hidden, incident('b', { app: 'secret-project' })], published: new Map([['a', [update('Payments fail.')]]]) })
  expect(shown).toMatchObject({ overall: 'Partial outage', incidents: [{ title: 'Trouble with Checkout', state: 'Investigating', updates: [{ text: 'Payments fail.' }] }] })
  const html = pageHtml(shown, { feed: '/status/blue/feed.atom', subscribe: '' }) + feedXml(shown, 'http://p/status/blue')
  for (const inside of ['db-7', 'inc-a', 'ada', 'secret-project', 'internal words', 'shop-answers']) expect(html).not.toContain(inside)
})

test('a component is as bad as its worst open incident, better once users are well, and burning where an objective is named', () => {
  const states = (...all: Incident[]): (string | undefined)[] => view({ incidents: all, published: new Map(all.map(({ metadata }) => [metadata.uid, [update('x')]])) }).components.map(({ state }) => state)
  expect(states(incident('a', { severity: 'sev1' }), incident('b', { severity: 'sev4' }))).toEqual(['Major outage', undefined])
  expect(states(incident('a', { severity: 'sev1' }, { state: 'Mitigated' }))).toEqual(['Degraded', undefined])
  expect(states(incident('a', { severity: 'sev1' }, { state: 'Resolved', resolvedAt: '2026-03-02T02:30:00Z' }))).toEqual(['Operational', undefined])
  expect(states(incident('a', { environment: 'staging' }))).toEqual(['Operational', undefined])
  expect(view({ slos: [slo('search-answers', 'search', true), slo('shop-answers', 'shop', true)] }).components.map(({ state }) => state)).toEqual(['Operational', 'Degraded'])
})

test('history is ninety days up to today, of what was counted', () => {
  const today = Math.floor(now.getTime() / 86_400_000)
  const [checkout, search] = view({ slos: [slo('shop-answers', 'shop', false, 'u')], days: new Map([['u', new Map([[today, { good: 90, total: 100 }], [today - 1, { good: 300, total: 300 }], [today - 200, { good: 0, total: 1 }]])]]) }).components
  expect(checkout).toMatchObject({ good: 0.975 })
  expect(checkout!.days).toHaveLength(historyDays)
  expect(checkout!.days.slice(-2)).toEqual([{ day: '2026-03-01', good: 1 }, { day: '2026-03-02', good: 0.9 }])
  expect(search!.good).toBeUndefined()
})

test('text of people stays text in pages and feeds', () => {
  const evil = `<script>alert(1)</script>\u0000\u0008"' ]]> & \uFFFF\nnext`
  const shown = view({ spec: { ...spec, title: evil, components: [{ name: evil, app: 'shop' }] }, incidents: [incident('a', { publicTitle: evil }, { state: 'Resolved', resolvedAt: '2026-03-02T02:30:00.000Z' })], published: new Map([['a', [update(evil)]]]) })
  const html = pageHtml(shown, { feed: '/status/x/feed.atom', subscribe: '' })
  expect(html).not.toContain('<script')
  expect(html.match(/<style>/g)).toHaveLength(1)
  const xml = feedXml(shown, 'http://p/status/blue')
  for (const letter of ['<script', '\u0000', '\u0008', '\uFFFF']) expect(xml).not.toContain(letter)
  expect(xml.match(/<entry>/g)).toHaveLength(2)
  expect(xml).toContain('<updated>2026-03-02T02:30:00.000Z</updated>')
  expect(escaped(`a<b>&"'\u0000`)).toBe('a&lt;b&gt;&amp;&quot;&#39;')
  expect(contentPolicy).toMatch(/^default-src 'none'; style-src 'sha256-/)
})
