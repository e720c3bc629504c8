/** Messages reach the other side, whatever happens on the way: a real database, real sockets, a clock of the test. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { tester } from '../../../../test/kernel.ts'
import { minuteMs, standIn, world, type World } from '../../../../test/alerting.ts'
import { createDelivery, leaseMs } from './deliver.ts'
import { claim, enqueue, readNotifications, type NewNotification } from './store.ts'

const never = new AbortController().signal

async function due(it: World, channel: string, more: Partial<NewNotification> = {}): Promise<NewNotification> {
  const at = it.now().toISOString()
  const alert = randomUUID()
  const row: NewNotification = {
    id: randomUUID(), team: 'blue', alert, alertName: 'load-1', kind: 'Fired', level: 1, round: 1, recipient: `channel:${channel}`, channel, after: [],
    said: { kind: 'Fired', at, severity: 'page', team: 'blue', name: 'load-1', alert, summary: 'Load is high', labels: {}, examples: [], members: 1, since: at, affects: [] }, ...more,
  }
  await it.database.transaction((tx) => enqueue(tx, [row], it.now()))
  return row
}

test('what a channel refuses for an hour is tried less and less often, and delivered once, in order, when it is back', async () => {
  const it = await world()
  const hook = await standIn()
  await it.channel('ops', { webhook: { url: hook.url } })
  hook.answer = (_request, response) => void response.writeHead(503).end('down for repairs')
  const fired = await due(it, 'ops')
  await due(it, 'ops', { kind: 'Resolved', alert: fired.alert, level: 0, round: 0, said: { ...fired.said, kind: 'Resolved' } })
  let attempts = 0
  for (let minute = 0; minute < 60; minute++) {
    attempts += await it.deliver()
    it.pass(minuteMs)
  }
  expect(attempts).toBeGreaterThan(10)
  expect(attempts).toBeLessThan(30)
  expect((await readNotifications(it.database, { team: 'blue', channel: 'ops' })).find(({ kind }) => kind === 'Fired')).toMatchObject({ state: 'Queued', attempts, answer: 'It answered 503: down for repairs.' })
  expect((await it.resources.get<{ status: unknown }>(tester, { kind: 'NotificationChannel', namespace: 'blue', name: 'ops' }))!.status).toMatchObject({ state: 'Failing' })
  hook.answer = (_request, response) => void response.end()
  hook.taken.splice(0)
  it.pass(10 * minuteMs)
  await it.deliver()
  expect(hook.taken.map(({ body }) => body.kind)).toEqual(['Fired', 'Resolved'])
  expect(await it.events('NotificationChannel')).toEqual(['ChannelFails', 'ChannelWorks'])
})

test('who dies between sending and noting it sends it again under the same id, and nobody else before the lease is over', async () => {
  const it = await world()
  const hook = await standIn()
  await it.channel('ops', { webhook: { url: hook.url } })
  const { id } = await due(it, 'ops')
  const claimed = await claim(it.database, { now: it.now(), leaseMs, perChannel: 2, busy: [], atMost: 10 })
  expect(claimed.map((row) => row.id)).toEqual([id])
  await fetch(hook.url, { method: 'POST', body: JSON.stringify({ id: claimed[0]!.id }) })
  expect(await it.deliver()).toBe(0)
  it.pass(leaseMs + 1)
  expect(await it.deliver()).toBe(1)
  expect(hook.taken.map(({ body }) => body.id)).toEqual([id, id])
  expect(hook.taken[1]!.headers['idempotency-key']).toBe(id)
})

test('the fallback takes over after so many failures, or at once when it is for good', async () => {
  const it = await world()
  const [broken, gone, spare] = [await standIn(), await standIn(), await standIn()]
  broken.answer = (_request, response) => void response.writeHead(500).end()
  gone.answer = (_request, response) => void response.writeHead(410).end('gone')
  await it.channel('broken', { webhook: { url: broken.url }, fallback: 'spare', failuresBeforeFallback: 2 })
  await it.channel('gone', { webhook: { url: gone.url }, fallback: 'spare' })
  await it.channel('spare', { webhook: { url: spare.url }, fallback: 'broken' })
  await due(it, 'broken')
  await due(it, 'gone')
  await it.deliver()
  expect([broken.taken.length, gone.taken.length, spare.taken.length]).toEqual([1, 1, 1])
  it.pass(minuteMs)
  await it.deliver()
  expect([broken.taken.length, spare.taken.length]).toEqual([2, 2])
  expect((await readNotifications(it.database, { team: 'blue', channel: 'broken' }))[0]).toMatchObject({ state: 'HandedOver' })
})

test('a channel that never answers holds up no other', async () => {
  const it = await world()
  const [slow, quick] = [await standIn(), await standIn()]
  slow.answer = () => undefined
  await it.channel('slow', { webhook: { url: slow.url } })
  await it.channel('quick', { webhook: { url: quick.url } })
  for (let index = 0; index < 40; index++) await due(it, 'slow')
  for (let index = 0; index < 5; index++) await due(it, 'quick')
  const stopped = new AbortController()
  const deliveries = createDelivery(it.delivery, () => () => undefined)
  const underWay: Promise<void>[] = []
  while (quick.taken.length < 5) underWay.push(...(await deliveries.deliverDue(stopped.signal)))
  expect(slow.taken.length).toBeLessThanOrEqual(2)
  stopped.abort()
  await Promise.all(underWay)
})

test('two servers send a message once', async () => {
  const it = await world()
  const hook = await standIn()
  await it.channel('ops', { webhook: { url: hook.url } })
  for (let index = 0; index < 20; index++) await due(it, 'ops')
  const servers = [1, 2].map(() => createDelivery(it.delivery, () => () => undefined))
  const work = async (server: (typeof servers)[number]): Promise<void> => {
    for (let empty = 0; empty < 3; ) {
      const runs = await server.deliverDue(never)
      empty = runs.length === 0 ? empty + 1 : 0
      await Promise.all(runs)
    }
  }
  await Promise.all(servers.map(work))
  expect(new Set(hook.taken.map(({ body }) => body.id)).size).toBe(20)
  expect(hook.taken).toHaveLength(20)
})

test('a secret is in no answer, and a message without its secret waits', async () => {
  const it = await world()
  const hook = await standIn()
  hook.answer = ({ path }, response) => void response.writeHead(400).end(`no such hook ${hook.url}${path}`)
  it.delivery.openSecret = async () => `${hook.url}/services/T0/B0/very-secret`
  await it.channel('chat', { slack: { urlSecret: 'hook' } })
  await due(it, 'chat')
  await it.deliver()
  const [row] = await readNotifications(it.database, { team: 'blue', channel: 'chat' })
  expect(row).toMatchObject({ state: 'Failed', answer: 'It answered 400: no such hook [redacted].' })
  it.delivery.openSecret = async () => undefined
  await due(it, 'chat')
  await it.deliver()
  expect((await readNotifications(it.database, { team: 'blue', channel: 'chat' })).map(({ state, answer }) => `${state} ${answer}`)).toContain('Queued The secret "hook" has no value.')
})
