import { expect, test } from 'vitest'
import { testKernel, tester } from '../../../../test/kernel.ts'
import type { IncidentEntry, PostmortemSpec, PostmortemStatus, Resource } from '@pavior/contract'
import { createEventRecorder } from '../../../kernel/audit/events.ts'
import { kinds as catalogKinds } from '../../catalog/index.ts'
import { move, openByHand } from '../incidents/commands.ts'
import { incident as incidentKind } from '../incidents/kinds.ts'
import { readEntries } from '../incidents/store.ts'
import { eventually, person } from '../../../../test/incident-world.ts'
import type { Incident } from '../incidents/types.ts'
import { draftOf, standingOf } from './draft.ts'
import { figuresOf, spanOf } from './figures.ts'
import { createPostmortems } from './index.ts'
import { postmortem as postmortemKind } from './kinds.ts'

type Postmortem = Resource<PostmortemSpec, PostmortemStatus>

const incident = {
  apiVersion: 'pavior.dev/v1', kind: 'Incident',
  metadata: { name: 'inc-7', namespace: 'blue', uid: 'u', resourceVersion: '1', generation: 1, creationTimestamp: '2026-03-01T03:00:00Z' },
  spec: { title: 'Checkout answers 500', severity: 'sev1', app: 'shop', environment: 'production' },
  status: {
    state: 'Closed', startedAt: '2026-03-01T02:57:00.000Z', detectedAt: '2026-03-01T03:00:00.000Z', resolvedAt: '2026-03-01T03:27:00.000Z', closedAt: '2026-03-01T04:00:00.000Z',
    seconds: { detect: 180, acknowledge: 60, restore: 1200 },
    impact: { requests: 1000, failed: 340, minutes: 12, budgets: [{ slo: 'shop-answers', used: 0.42 }] },
    affected: { apps: [{ app: 'shop', why: '' }, { app: 'web', why: '' }], otherTeams: 1 },
    suspects: [{ kind: 'Deployment', name: 'shop-production-12', at: '2026-03-01T02:56:00Z', text: 'v12 of shop went to production (deploy).', likelihood: 1, reasons: ['It came 1 min before the trouble began.'] }],
  },
} as Incident

const entry = (kind: IncidentEntry['kind'], text: string): IncidentEntry => ({ id: '1', at: '2026-03-01T03:02:00.000Z', kind, actor: 'user:ada', text })

test('a draft has the facts, asks for the rest, and lets no text of others be markup', () => {
  const draft = draftOf(incident, [entry('alert', 'It burns.'), entry('note', '<img src=x onerror=alert(1)>\n# [x](javascript:1)'), entry('evidence', 'left out')])
  expect(draft.summary).toContain('Checkout answers 500. sev1 in shop, production. It lasted 30 min, from 2026-03-01 02:57 UTC to 2026-03-01 03:27 UTC.')
  expect(draft.impact).toContain('- 340 of 1000 requests failed, in 12 minutes.\n- 42 % of the error budget of shop-answers went.\n- Affected: shop, web.\n- 1 app of other teams call it.\n- Detected after 3 min, taken 1 min later, users were well 20 min after it was detected.')
  expect(draft.timeline).toBe('- **2026-03-01 03:02 UTC** It burns.\n- **2026-03-01 03:02 UTC** ada: \\<img src=x onerror=alert(1)\\> \\# \\[x\\](javascript:1)\n')
  expect(draft.factors).toContain('- v12 of shop went to production (deploy). It came 1 min before the trouble began.')
  expect(JSON.stringify(draft)).not.toMatch(/blame|fault|mistake/i)
})

test('actions are overdue from the day after theirs, and told of once for each owner and day', () => {
  const spec: PostmortemSpec = { incident: 'inc-7', title: 't', actions: [{ title: 'a', owner: 'ada', due: '2026-03-09' }, { title: 'b', due: '2026-03-10' }, { title: 'c', state: 'Done', due: '2026-03-01' }] }
  const first = standingOf(spec, undefined, incident, 1, new Date('2026-03-10T12:00:00Z'))
  expect(first).toMatchObject({ overdue: [{ title: 'a' }], status: { severity: 'sev1', required: true, dueAt: '2026-03-06T04:00:00.000Z', actions: { open: 2, done: 1, overdue: 1 } } })
  expect(standingOf(spec, first.status, incident, 1, new Date('2026-03-10T13:00:00Z')).overdue).toEqual([])
  expect(standingOf(spec, first.status, incident, 1, new Date('2026-03-11T00:00:00Z')).overdue.map(({ title }) => title)).toEqual(['b'])
})

test('figures are of incidents within the days, medians and ninetieth percentiles of what is known', () => {
  expect(spanOf([])).toEqual({ count: 0 })
  expect(spanOf([10, 1, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual({ count: 10, median: 5, p90: 9 })
  const published = { metadata: { namespace: 'blue' }, spec: { incident: 'inc-7', state: 'Published' }, status: { actions: { open: 2, done: 3, overdue: 1 } } } as Postmortem
  const old = { ...incident, metadata: { ...incident.metadata, name: 'inc-1' }, status: { ...incident.status, detectedAt: '2025-01-01T00:00:00Z' } } as Incident
  expect(figuresOf([incident, old], [published], 90, new Date('2026-03-20T00:00:00Z'))).toEqual({
    days: 90, incidents: 1, bySeverity: { sev1: 1, sev2: 0, sev3: 0, sev4: 0 }, detect: { count: 1, median: 180, p90: 180 }, acknowledge: { count: 1, median: 60, p90: 60 }, restore: { count: 1, median: 1200, p90: 1200 },
    postmortems: { required: 1, published: 1 }, actions: { open: 2, done: 3, overdue: 1 }, repeats: 0,
  })
})

test('closing a sev2 drafts one, a sev4 does when asked; what is deleted does not come back; publishing needs words', async () => {
  const deps: { events?: ReturnType<typeof createEventRecorder> } = {}
  const { database, resources } = await testKernel([...catalogKinds, incidentKind, postmortemKind], (kernel) => createPostmortems({ ...kernel, events: (deps.events = createEventRecorder(kernel.database)), clock: { now: () => new Date() } }).reconcilers)
  const commands = { database, resources, events: deps.events!, clock: { now: () => new Date() } }
  const ada = person('ada')
  const close = async (severity: 'sev2' | 'sev4', postmortem?: boolean): Promise<string> => {
    const { metadata } = await openByHand(commands, ada, 'blue', { title: 'It is slow', severity })
    await move(commands, ada, 'blue', metadata.name, { state: 'Closed', ...(postmortem === undefined ? {} : { postmortem }) })
    return metadata.name
  }
  const names = [await close('sev2'), await close('sev4'), await close('sev4', true)]
  const list = async (): Promise<string[]> => (await resources.listAll<Postmortem>(tester, 'Postmortem')).map(({ metadata }) => metadata.name).toSorted()
  await eventually('the drafts', async () => (await list()).length === 2)
  expect(await list()).toEqual([names[0], names[2]])
  const key = { kind: 'Postmortem', namespace: 'blue', name: names[0]! }
  await expect(resources.mutate<Postmortem>(ada, key, (current) => ({ ...current!, spec: { ...current!.spec, state: 'Published', summary: ' ' } }))).rejects.toMatchObject({ code: 'INVALID' })
  await resources.mutate<Postmortem>(ada, key, (current) => ({ ...current!, spec: { ...current!.spec, state: 'Published', actions: [{ title: 'Limit the pool', owner: 'ada', due: '2026-01-02' }] } }))
  await eventually('its owner to be told', async () => (await deps.events!.list(['blue'], { kind: 'Postmortem' })).some(({ message }) => message === 'ada: "Limit the pool" was due on 2026-01-02.'))
  const closed = await resources.mustGet<Incident>(tester, { kind: 'Incident', namespace: 'blue', name: names[0]! })
  expect((await readEntries(database, closed.metadata.uid)).filter(({ kind }) => kind === 'postmortem').map(({ text }) => text)).toEqual(['The draft of a postmortem was made.', 'The postmortem was published.'])
  await resources.delete(tester, key)
  await resources.mutate<Incident>(tester, { kind: 'Incident', namespace: 'blue', name: names[0]! }, (current) => ({ ...current!, metadata: { ...current!.metadata, labels: { touched: 'yes' } } }))
  const again = await close('sev2')
  await eventually('the next draft', async () => (await list()).includes(again))
  expect(await list()).not.toContain(names[0])
})
