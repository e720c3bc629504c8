/** Incidents with a real database: opened by alerts, once each, and moved by several people at once. */
import { expect, test } from 'vitest'
import { tester } from '../../../../test/kernel.ts'
import { createOpener } from './opening.ts'
import { acknowledge, assign, move, note, openByHand, setSeverity, update } from './commands.ts'
import { eventually, incidentWorld, person } from '../../../../test/incident-world.ts'
import { entriesAfter } from './store.ts'
import type { Deployment, Incident } from './types.ts'

test('a storm of two hundred alerts of one cause is one incident, each alert in it once', async () => {
  const { fire, incidents, lines, events, resources } = await incidentWorld()
  await Promise.all(Array.from({ length: 200 }, (_, index) => fire(`a-${index}`)))
  const incident = await eventually('all alerts to be taken in', async () => (await incidents()).find(({ status }) => status?.alerts?.total === 200 && status.alerts.names.length === 20))
  expect(await incidents()).toHaveLength(1)
  expect(incident).toMatchObject({ metadata: { name: 'inc-1' }, spec: { severity: 'sev3', app: 'shop' }, status: { state: 'Investigating', cause: { kind: 'Slo', name: 'shop-answers' }, alerts: { firing: 200 } } })
  const written = await eventually('the lines', async () => { const all = await lines(incident); return all.filter(({ kind }) => kind === 'alert').length === 200 && all })
  expect(written.filter(({ kind }) => kind === 'opened')).toHaveLength(1)
  expect((await events.list(['blue'], { kind: 'Incident' })).map(({ reason, count }) => `${reason} ${count}`)).toEqual(['IncidentOpened 1'])
  // Looked at again, nothing is new.
  await resources.mutate<Incident>(tester, { kind: 'Incident', namespace: 'blue', name: 'inc-1' }, (current) => ({ ...current!, metadata: { ...current!.metadata, labels: { touched: 'yes' } } }))
  await fire('b-1', { app: 'blog', source: { kind: 'Slo', name: 'blog' } })
  await eventually('the other incident', async () => (await incidents()).length === 2)
  expect(await lines(incident)).toHaveLength(written.length)
})

test('whoever dies between the alert and its incident leaves nothing half done: the next one opens it, once', async () => {
  const { deps, fire, incidents, lines, events } = await incidentWorld({ opens: false })
  const dying = { ...deps, events: { ...events, record: async () => { throw new Error('the server is gone') } } }
  await fire('shop-down')
  await expect(createOpener(dying).reconcile('blue', AbortSignal.timeout(10_000))).rejects.toThrow('the server is gone')
  expect(await incidents()).toEqual([])
  const opener = createOpener(deps)
  await Promise.all([opener.reconcile('blue', AbortSignal.timeout(10_000)), opener.reconcile('blue', AbortSignal.timeout(10_000))])
  const [incident, ...more] = await incidents()
  expect(more).toEqual([])
  const written = await eventually('its lines', async () => { const all = await lines(incident!); return all.length >= 2 && all })
  expect(written.map(({ kind }) => kind)).toEqual(['opened', 'alert'])
})

test('what calls the app joins, quiet alerts and tickets open nothing, another team has its own', async () => {
  const { fire, incidents, call, resources } = await incidentWorld()
  await call('web', 'shop')
  await fire('quiet', {}, { quiet: { because: 'Silenced', by: 'ada' } })
  await fire('ticket', { severity: 'ticket' })
  await fire('shop-down')
  await fire('web-down', { app: 'web', source: { kind: 'Slo', name: 'web' } })
  await resources.create(tester, 'Alert', 'green', { metadata: { name: 'shop-down' }, spec: { severity: 'page', summary: 'x', source: { kind: 'Slo', name: 'shop-answers' }, app: 'shop', environment: 'production' }, status: { state: 'Firing', since: new Date().toISOString() } })
  const all = await eventually('both teams', async () => { const found = await incidents(); return found.length === 2 && found.some(({ status }) => status?.alerts?.names.length === 2) && found })
  const blue = all.find(({ metadata }) => metadata.namespace === 'blue')!
  expect(blue.status).toMatchObject({ alerts: { total: 2 }, affected: { apps: [{ app: 'shop', why: 'It has the trouble.' }, { app: 'web', why: 'It has the alert web-down.' }] } })
  await expect(resources.list(person('eve', 'developer', 'green'), 'Incident', 'blue')).rejects.toMatchObject({ code: 'FORBIDDEN' })
  expect((await resources.list<Incident>(person('eve', 'developer', 'green'), 'Incident', undefined)).items.map(({ metadata }) => metadata.namespace)).toEqual(['green'])
})

test('a bad release is the first suspect; when alerts end users are well, when one fires again they are not', async () => {
  const { fire, end, read, lines, count, resources } = await incidentWorld()
  const made = await resources.create<Deployment>(tester, 'Deployment', 'blue', { metadata: { name: 'shop-production-2' }, spec: { app: 'shop', environment: 'production', release: 2, reason: 'deploy' }, status: { phase: 'Succeeded', previousRelease: 1, startedAt: new Date(Date.now() - 180_000).toISOString(), finishedAt: new Date(Date.now() - 170_000).toISOString() } })
  await count('shop', 1, 1, 50, 0)
  await count('shop', 2, 2, 10, 30)
  await count('shop', 2, 1, 10, 40)
  await fire('shop-down')
  const open = await eventually('suspects', async () => { const one = await read('inc-1').catch(() => undefined); return one?.status?.suspects?.length ? one : undefined })
  expect(open.spec.severity).toBe('sev2')
  expect(open.status!.severityReason).toMatch(/and 50 % of the requests fail|apps are affected/)
  expect(open.status!.suspects![0]).toMatchObject({ name: made.metadata.name, likelihood: 1, undo: { command: 'pavior rollback v1 --app shop --environment production --team blue' } })
  expect(open.status!.impact).toMatchObject({ requests: 140, failed: 70, minutes: 2 })
  expect(open.status!.seconds!.detect).toBeGreaterThanOrEqual(60)
  await end('shop-down')
  const well = await eventually('it to be mitigated', async () => { const one = await read('inc-1'); return one.status?.state === 'Mitigated' && one })
  expect(well.status!.seconds!.restore).toBeGreaterThanOrEqual(0)
  await resources.mutate(tester, { kind: 'Alert', namespace: 'blue', name: 'shop-down' }, (current) => ({ ...current!, status: { state: 'Firing', since: new Date().toISOString() } }), { subresource: 'status' })
  const again = await eventually('it to be open again', async () => { const one = await read('inc-1'); return one.status?.state === 'Investigating' && one })
  expect(again.status).not.toHaveProperty('mitigatedAt')
  expect((await lines(again)).map(({ kind, data }) => `${kind} ${String(data?.state ?? data?.phase ?? data?.to ?? '')}`.trim())).toEqual(['deployment Begun', 'deployment Succeeded', 'opened', 'alert Firing', 'alert Resolved', 'state Mitigated', 'alert Firing', 'state Investigating'])
})

test('two responders at once: one has it, both are told who; moves are in order, a stale one is refused, the closed stays closed', async () => {
  const { commands, lines } = await incidentWorld()
  const [ada, bob] = [person('ada'), person('bob')]
  const { metadata } = await openByHand(commands, ada, 'blue', { title: 'Checkout is slow', severity: 'sev3' })
  const name = metadata.name
  const both = await Promise.all([acknowledge(commands, ada, 'blue', name, {}), acknowledge(commands, bob, 'blue', name, { note: 'I look.' })])
  expect(both[0]!.status!.acknowledged).toEqual(both[1]!.status!.acknowledged)
  const moves = await Promise.allSettled([move(commands, ada, 'blue', name, { state: 'Identified', from: 'Investigating' }), move(commands, bob, 'blue', name, { state: 'Mitigated', from: 'Investigating' })])
  expect(moves.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect((moves.find(({ status }) => status === 'rejected') as PromiseRejectedResult).reason).toMatchObject({ code: 'INCIDENT_MOVED' })
  await Promise.all([assign(commands, ada, 'blue', name, { role: 'commander', user: 'ada' }), assign(commands, bob, 'blue', name, { role: 'scribe', user: 'bob' }), assign(commands, bob, 'blue', name, { role: 'commander', user: 'ada' })])
  await setSeverity(commands, ada, 'blue', name, { severity: 'sev1', reason: 'Nobody can pay.' })
  await update(commands, ada, 'blue', name, { text: 'The pool is full.', public: 'Payments are slow.', publicTitle: 'Slow payments' })
  await move(commands, ada, 'blue', name, { state: 'Resolved' })
  await move(commands, bob, 'blue', name, { state: 'Resolved' })
  const closed = await move(commands, ada, 'blue', name, { state: 'Closed' })
  expect(closed).toMatchObject({ spec: { roles: { commander: 'ada', scribe: 'bob' }, severity: 'sev1', publicTitle: 'Slow payments' }, status: { state: 'Closed', published: { text: 'Payments are slow.' }, severityReason: 'ada said so. Nobody can pay.' } })
  await expect(move(commands, ada, 'blue', name, { state: 'Investigating' })).rejects.toMatchObject({ code: 'INCIDENT_CLOSED' })
  await note(commands, bob, 'blue', name, { text: 'For the postmortem: <script>alert(1)</script>' })
  const written = await lines(closed)
  const kinds = written.map(({ kind }) => kind)
  expect(kinds.filter((kind) => kind === 'acknowledged')).toHaveLength(1)
  expect(kinds.filter((kind) => kind === 'role')).toHaveLength(2)
  expect(kinds.filter((kind) => kind === 'state')).toHaveLength(3)
  expect(written.at(-1)!.text).toContain('<script>')
})

test('readers read, developers act, others are refused; the audit says who it was', async () => {
  const { commands, database } = await incidentWorld()
  const { metadata } = await openByHand(commands, person('ada'), 'blue', { title: 'It is slow', severity: 'sev4' })
  for (const stranger of [person('vic', 'viewer'), person('eve', 'developer', 'green')]) await expect(acknowledge(commands, stranger, 'blue', metadata.name, {})).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await expect(openByHand(commands, person('vic', 'viewer'), 'blue', { title: 'x', severity: 'sev4' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await acknowledge(commands, person('ada'), 'blue', metadata.name, {})
  const { rows } = await database.query<{ actor: string }>(`select distinct actor from audit where kind = 'Incident' and verb = 'update'`)
  expect(rows.map(({ actor }) => actor)).toContain('user:ada')
})

test('what is kept of an incident goes with it; a follower gets every line once', async () => {
  const { commands, database, resources } = await incidentWorld()
  const { metadata } = await openByHand(commands, person('ada'), 'blue', { title: 'It is slow', severity: 'sev4' })
  await Promise.all(Array.from({ length: 20 }, (_, index) => note(commands, person('ada'), 'blue', metadata.name, { text: `note ${index}` })))
  const all = await entriesAfter(database, metadata.uid, '0')
  expect(all).toHaveLength(21)
  expect(await entriesAfter(database, metadata.uid, all[9]!.id)).toHaveLength(11)
  await resources.delete(tester, { kind: 'Incident', namespace: 'blue', name: metadata.name })
  await eventually('its lines to be forgotten', async () => (await entriesAfter(database, metadata.uid, '0')).length === 0)
})
