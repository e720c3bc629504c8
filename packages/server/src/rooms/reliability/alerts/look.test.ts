/** Conditions become alerts and messages, over a real database and a stand-in that takes them. */
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { tester } from '../../../../test/kernel.ts'
import { acknowledge, resolveByHand } from './commands.ts'
import { lookOnce } from './look.ts'
import { minuteMs, secondMs, standIn, world } from '../../../../test/alerting.ts'

const never = new AbortController().signal
const high = [{ labels: { host: 'a' }, value: 42 }]

test('a condition that holds for long enough is one alert, one message, and its end another', async () => {
  const it = await world()
  const hook = await standIn()
  await it.channel('ops', { webhook: { url: `${hook.url}/in`, signingSecret: 'key' } })
  await it.declare('EscalationPolicy', 'default', { levels: [{ channels: ['ops'] }] })
  await it.rule('load', { for: '1m', summary: 'Load of {{labels.host}} is {{value}}' })
  it.measured.set('load', high)
  await it.lookNow()
  expect(await it.alerts()).toEqual([])
  expect((await it.resources.get<{ status: unknown }>(tester, { kind: 'AlertRule', namespace: 'blue', name: 'load' }))!.status).toMatchObject({ state: 'Pending', pending: 1, firing: 0, told: 'First channel ops.' })
  it.pass(minuteMs)
  await it.lookNow()
  const [alert] = await it.alerts()
  expect(alert).toMatchObject({ spec: { severity: 'page', summary: 'Load of a is 42', labels: { host: 'a' } }, status: { state: 'Firing', members: 1, total: 1, escalation: { level: 1, round: 1 } } })
  await it.lookNow()
  expect(await it.deliver()).toBe(1)
  const [taken] = hook.taken
  expect(taken!.body).toMatchObject({ kind: 'Fired', name: alert!.metadata.name, summary: 'Load of a is 42', links: { acknowledge: expect.stringContaining('https://pavior.example/v1/alert-links/') } })
  const [, at, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(taken!.headers['pavior-signature'] as string)!
  expect(createHmac('sha256', 'value of key').update(`${at}.${JSON.stringify(taken!.body)}`).digest('hex')).toBe(mac)
  it.measured.set('load', [])
  await it.lookNow()
  expect((await it.alerts())[0]!.status!.state).toBe('Firing')
  it.pass(minuteMs)
  await it.lookNow()
  expect((await it.alerts())[0]!.status).toMatchObject({ state: 'Resolved', members: 0, verdict: 'Noise' })
  await it.deliver()
  expect(hook.taken.map(({ body }) => body.kind)).toEqual(['Fired', 'Resolved'])
  expect(await it.events()).toEqual(['AlertFired', 'AlertResolved'])
  expect((await it.log(alert!)).map(({ kind, state, recipient }) => [kind, state, recipient])).toEqual(expect.arrayContaining([['Fired', 'Delivered', 'channel:ops'], ['Resolved', 'Delivered', 'channel:ops']]))
})

test('levels are told one after the other until somebody takes it; of two the first has it', async () => {
  const it = await world()
  const hook = await standIn()
  for (const name of ['one', 'two']) await it.channel(name, { webhook: { url: `${hook.url}/${name}` } })
  await it.declare('EscalationPolicy', 'default', { levels: [{ channels: ['one'], minutes: 5 }, { channels: ['two'], minutes: 5 }], repeat: 2 })
  await it.rule('load', {})
  it.measured.set('load', high)
  const told = async (): Promise<string[]> => {
    await it.lookNow()
    await it.deliver()
    return hook.taken.splice(0).map(({ path, body }) => `${path} ${body.kind}`)
  }
  expect(await told()).toEqual(['/one Fired'])
  it.pass(4 * minuteMs)
  expect(await told()).toEqual([])
  it.pass(minuteMs)
  expect(await told()).toEqual(['/two Fired'])
  it.pass(5 * minuteMs)
  expect(await told()).toEqual(['/one Fired'])
  const [alert] = await it.alerts()
  const of = { team: 'blue', name: alert!.metadata.name }
  const both = await Promise.allSettled([acknowledge(it.commands, of, { name: 'user:ada' }), acknowledge(it.commands, of, { name: 'user:bob' })])
  const first = both.find(({ status }) => status === 'fulfilled') as PromiseFulfilledResult<typeof alert>
  const { reason } = both.find(({ status }) => status === 'rejected') as PromiseRejectedResult
  expect(first.value!.status).toMatchObject({ state: 'Acknowledged' })
  expect(reason).toMatchObject({ code: 'ALERT_TAKEN', message: expect.stringContaining(first.value!.status!.acknowledged!.by) })
  it.pass(60 * minuteMs)
  expect((await told()).toSorted()).toEqual(['/one Acknowledged', '/two Acknowledged'])
  // Resolved by hand while it holds: no other until it has ended once.
  await resolveByHand(it.commands, of, { name: 'user:ada' }, undefined)
  expect((await told()).toSorted()).toEqual(['/one Resolved', '/two Resolved'])
  expect(await it.alerts()).toHaveLength(1)
  it.measured.set('load', [])
  await it.lookNow()
  it.pass(minuteMs)
  await it.lookNow()
  await it.lookNow()
  it.measured.set('load', high)
  expect(await told()).toEqual(['/one Fired'])
  expect((await it.alerts()).map(({ status }) => [status!.state, status!.verdict]).toSorted()).toEqual([['Firing', undefined], ['Resolved', 'ActedUpon']])
})

test('ten thousand series are one alert and one message; two servers that look at once tell it once', async () => {
  const it = await world()
  const hook = await standIn()
  await it.channel('ops', { webhook: { url: hook.url } })
  await it.declare('EscalationPolicy', 'default', { levels: [{ channels: ['ops'] }] })
  await it.rule('load', {})
  it.measured.set('load', Array.from({ length: 12_000 }, (_, index) => ({ labels: { pod: `p${index}`, region: 'eu' }, value: index + 11 })))
  await it.lookNow()
  await Promise.all([lookOnce(it.look, never), lookOnce(it.look, never), it.deliver()])
  await it.deliver()
  expect(hook.taken).toHaveLength(1)
  expect(hook.taken[0]!.body.examples).toHaveLength(5)
  expect(await it.alerts()).toMatchObject([{ spec: { labels: { region: 'eu' } }, status: { members: 10_000, total: 10_000 } }])
  expect((await it.resources.get<{ status: unknown }>(tester, { kind: 'AlertRule', namespace: 'blue', name: 'load' }))!.status).toMatchObject({ firing: 10_000, leftOut: 2000 })
  it.measured.set('load', [])
  await it.lookNow()
  it.pass(minuteMs)
  await it.lookNow()
  expect((await it.database.query('select 1 from alert_members')).rowCount).toBe(0)
}, 60_000)

test('two servers that see it first at the same moment open one alert', async () => {
  const it = await world()
  await it.channel('ops', { webhook: { url: 'http://127.0.0.1:9' } })
  await it.declare('EscalationPolicy', 'default', { levels: [{ channels: ['ops'] }] })
  await it.rule('load', {})
  await it.lookNow()
  it.measured.set('load', high)
  await Promise.all([1, 2, 3, 4].map(() => lookOnce(it.look, never)))
  const alerts = await it.alerts()
  expect(alerts).toHaveLength(1)
  expect(await it.log(alerts[0]!)).toHaveLength(1)
})

test('a query that is broken says so, and what fired goes on firing', async () => {
  const it = await world()
  await it.rule('load', {})
  it.measured.set('load', high)
  await it.lookNow()
  it.measured.set('load', new Error('no such function: ratte'))
  it.pass(60 * minuteMs)
  await it.lookNow()
  await it.lookNow()
  expect((await it.alerts())[0]!.status!.state).toBe('Firing')
  expect((await it.resources.get<{ status: unknown }>(tester, { kind: 'AlertRule', namespace: 'blue', name: 'load' }))!.status).toMatchObject({ state: 'Broken', problem: 'no such function: ratte', told: expect.stringContaining('Nobody but the bell') })
  expect(await it.events('AlertRule')).toEqual(['RuleBroken'])
})

test('lines of a log that come too often fire, and those of the minute before are counted', async () => {
  const asked: object[] = []
  let lines = 3
  const it = await world({ logs: { count: async (of) => (asked.push(of), lines) } })
  await it.declare('AlertRule', 'boom', { app: 'shop', severity: 'ticket', condition: { log: { match: 'boom', level: 'error', overPerMinute: 3 } } })
  await it.lookNow()
  expect(await it.alerts()).toEqual([])
  expect(asked).toEqual([{ team: 'blue', app: 'shop', environment: 'production', match: 'boom', level: 'error', from: new Date(it.now().getTime() - minuteMs), until: it.now() }])
  lines = 4
  await it.lookNow()
  expect(await it.alerts()).toMatchObject([{ spec: { severity: 'ticket', app: 'shop', summary: '4 lines of shop with "boom" in a minute, 3 are fine.' }, status: { state: 'Firing' } }])
})

test('without a store of logs a rule about them says so', async () => {
  const it = await world()
  await it.declare('AlertRule', 'boom', { app: 'shop', severity: 'ticket', condition: { log: { match: 'boom', overPerMinute: 3 } } })
  await it.lookNow()
  expect((await it.resources.get<{ status: unknown }>(tester, { kind: 'AlertRule', namespace: 'blue', name: 'boom' }))!.status).toMatchObject({ state: 'Broken', problem: expect.stringContaining('keeps none') })
})

test('a clock that is set back or forward neither loses nor invents an alert', async () => {
  const it = await world()
  await it.rule('load', { for: '1m' })
  it.measured.set('load', high)
  await it.lookNow()
  it.pass(-24 * 60 * minuteMs)
  await it.lookNow()
  it.pass(minuteMs)
  await it.lookNow()
  expect((await it.alerts()).map(({ status }) => status!.state)).toEqual(['Firing'])
  it.measured.set('load', [])
  await it.lookNow()
  it.pass(-60 * minuteMs)
  await it.lookNow()
  it.pass(2 * 24 * 60 * minuteMs)
  await it.lookNow()
  expect((await it.alerts()).map(({ status }) => status!.state)).toEqual(['Resolved'])
})

test('an objective makes alerts by itself, its ticket is quiet while its page fires, and a rule may speak for it', async () => {
  const it = await world()
  const slo = await it.declare('Slo', 'answers', { app: 'shop', indicator: { golden: 'requests' }, objective: 0.9 })
  const since = it.now().toISOString()
  const say = (alerts: object[]): Promise<unknown> => it.resources.mutate(tester, { kind: 'Slo', namespace: 'blue', name: 'answers' }, (current) => ({ ...(current as typeof slo), status: { alerts } }), { subresource: 'status' })
  const reached = (written: unknown): Promise<void> => it.look.slos.reached((written as typeof slo).metadata.resourceVersion, 10_000)
  await reached(await say([{ alert: 'page', since, text: 'The budget burns 5 times too fast.' }, { alert: 'ticket', since, text: 'Half is used.' }]))
  await it.lookNow()
  expect((await it.alerts()).map(({ spec, status }) => [spec.severity, spec.summary, spec.app, spec.environment, status!.quiet?.because])).toEqual(expect.arrayContaining([
    ['page', 'answers: The budget burns 5 times too fast.', 'shop', 'production', undefined], ['ticket', 'answers: Half is used.', 'shop', 'production', 'Inhibited'],
  ]))
  await it.declare('AlertRule', 'mine', { severity: 'ticket', summary: 'Look at the shop.', condition: { slo: { name: 'answers', alert: 'page' } } })
  await it.lookNow()
  expect((await it.alerts()).map(({ spec, status }) => [spec.source.kind, spec.severity, status!.state])).toEqual(expect.arrayContaining([['Slo', 'page', 'Resolved'], ['Slo', 'ticket', 'Firing'], ['AlertRule', 'ticket', 'Firing']]))
  await it.resources.delete(tester, { kind: 'Slo', namespace: 'blue', name: 'answers' })
  await it.declare('AlertRule', 'marker', { severity: 'ticket', condition: { absence: { query: 'nothing' } } })
  await it.lookNow()
  it.pass(10 * secondMs)
  await it.lookNow()
  expect((await it.alerts()).filter(({ spec }) => spec.source.kind === 'Slo').map(({ status }) => status!.state)).toEqual(['Resolved', 'Resolved'])
})
