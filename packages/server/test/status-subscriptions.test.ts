/** Readers subscribe to a status page by mail, editors by webhook; each update reaches them once, and their addresses leave with them. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHmac } from 'node:crypto'
import type { StatusSubscriber } from '@pavior/contract'
import { SMTPServer } from 'smtp-server'
import { expect, onTestFinished, test } from 'vitest'
import { messengers } from '../src/drivers/notifiers/index.ts'
import { createEventRecorder } from '../src/kernel/audit/events.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { createLog } from '../src/kernel/log.ts'
import { Mirror } from '../src/kernel/resources/mirror.ts'
import { kernelTestKinds } from '../src/kernel/kube/testing/kinds.ts'
import { openByHand, update } from '../src/rooms/reliability/incidents/commands.ts'
import { incident } from '../src/rooms/reliability/incidents/kinds.ts'
import type { Incident } from '../src/rooms/reliability/incidents/types.ts'
import { notificationChannel } from '../src/rooms/reliability/notify/kinds.ts'
import { slo } from '../src/rooms/reliability/slo/kinds.ts'
import { createStatusPages, type StatusPageDeps } from '../src/rooms/reliability/status-page/index.ts'
import { statusPage } from '../src/rooms/reliability/status-page/kinds.ts'
import { testApi, type TestApi } from './api.ts'
import { person } from './incident-world.ts'
import { tester } from './kernel.ts'
import { laterOf, type Later } from './later.ts'

const log = createLog('silent', 'test')
const key = Buffer.alloc(32, 5)
const spec = { title: 'Shop', public: true, components: [{ name: 'Checkout', app: 'shop' }], subscriptions: { mailBy: 'mail', webhooks: true } }

interface Mail {
  to: string[]
  text: string
}

async function mailServer(): Promise<{ port: number; received: Mail[]; answer: { code: number | undefined } }> {
  const received: Mail[] = []
  const answer: { code: number | undefined } = { code: undefined }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: (_address, _session, done) => (answer.code === undefined ? done() : done(Object.assign(new Error('not now'), { responseCode: answer.code }))),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        received.push({ to: session.envelope.rcptTo.map(({ address }) => address), text: Buffer.concat(chunks).toString() })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)))
  return { port: (server.server.address() as AddressInfo).port, received, answer }
}

interface World {
  api: TestApi
  mails: Awaited<ReturnType<typeof mailServer>>
  /** Each is a server of its own on the database. */
  tellers: { once(stopped: AbortSignal): Promise<void> }[]
  look(teller?: number): Promise<void>
  ask(address: string): Promise<{ status: number; text: string }>
  post(path: string): Promise<{ status: number; text: string }>
  say(text: string): Promise<void>
  subscribers(token?: string): Promise<StatusSubscriber[]>
}

const linkIn = ({ text }: Mail, action: string): string => new RegExp(`/status/blue/${action}/[\\w.-]+`).exec(text.replaceAll('=\r\n', '').replaceAll('=3D', '='))![0]

async function world(): Promise<World> {
  const later: Later = {}
  const kinds = [...kernelTestKinds, statusPage, incident, slo, notificationChannel]
  const resources = laterOf(later, 'resources')
  const slos = new Mirror<never>(resources, 'Slo', log)
  const deps: StatusPageDeps = {
    database: laterOf(later, 'database'), resources, slos, authenticate: async () => tester, platformParts: async () => [], publicUrl: () => later.api!.url,
    messengers, openSecret: async () => undefined, key: async () => key, audit: async () => {}, clock: systemClock, log,
  }
  const servers = [createStatusPages(deps), createStatusPages(deps)]
  const api = await testApi({ kinds, routes: servers[0]!.routes })
  later.api = api
  const stopped = new AbortController()
  onTestFinished(() => stopped.abort())
  for (const { parts } of servers) await parts[0]!.start(stopped.signal)
  const mails = await mailServer()
  await api.resources.create(tester, 'NotificationChannel', 'blue', { metadata: { name: 'mail' }, spec: { email: { host: '127.0.0.1', port: mails.port, security: 'none', from: 'status@example.com' } } as never })
  const page = await api.resources.create(tester, 'StatusPage', 'blue', { metadata: { name: 'main' }, spec: spec as never })
  for (const { parts } of servers) await (parts[0] as Mirror<never>).reached(page.metadata.resourceVersion, 10_000)
  const tellers = servers.map(({ parts }) => parts[1] as unknown as World['tellers'][number])
  const by = person('ada')
  let open: Incident | undefined
  const form = (path: string, body: string): Promise<{ status: number; text: string }> => api.send('POST', path, body, { token: null, type: 'application/x-www-form-urlencoded' })
  return {
    api, mails, tellers,
    look: (teller = 0) => tellers[teller]!.once(stopped.signal),
    ask: (address) => form('/status/blue/subscribe', new URLSearchParams({ address }).toString()),
    post: (path) => form(path, 'List-Unsubscribe=One-Click'),
    say: async (text) => {
      const commands = { database: api.database, resources: api.resources, events: createEventRecorder(api.database), clock: systemClock }
      open ??= await openByHand(commands, by, 'blue', { title: 'Database is gone', severity: 'sev2', app: 'shop', environment: 'production' } as never)
      await update(commands, by, 'blue', open.metadata.name, { text: 'inside only', public: text } as never)
    },
    subscribers: async (token = 'root') => (await api.send('GET', '/v1/teams/blue/statuspages/main/subscribers', undefined, { token })).body?.items,
  }
}

async function subscribed(it: World, address: string): Promise<void> {
  expect((await it.ask(address)).status).toBe(202)
  await it.look()
  expect((await it.post(linkIn(it.mails.received.at(-1)!, 'confirm'))).status).toBe(200)
}

test('who says yes by mail is told of each update once, whichever server sends, and leaves with one request', async () => {
  const it = await world()
  expect((await it.api.send('GET', '/status/blue', undefined, { token: null })).text).toContain('action="/status/blue/subscribe"')
  await it.say('Before anybody listened.')
  await subscribed(it, 'ada@example.com')
  expect(it.mails.received).toHaveLength(1)
  await it.say('We know what it is.')
  await it.say('It is mended.')
  // The page is kept for a moment.
  await expect.poll(async () => {
    await Promise.all([it.look(0), it.look(1)])
    return it.mails.received.length
  }, { timeout: 20_000, interval: 200 }).toBe(3)
  await Promise.all([it.look(0), it.look(1)])
  const [, first, second] = it.mails.received
  expect(it.mails.received).toHaveLength(3)
  expect(first).toMatchObject({ to: ['ada@example.com'], text: expect.stringContaining('We know what it is.') })
  expect(second!.text).toContain('It is mended.')
  expect(first!.text).toMatch(/List-Unsubscribe-Post: List-Unsubscribe=One-Click/)
  expect(first!.text).not.toMatch(/inside only|Database is gone|Before anybody/)
  expect(await it.subscribers()).toMatchObject([{ kind: 'mail', address: 'ada@example.com', state: 'Active', delivered: 2, failed: 0 }])
  // A program that only looks at the link ends nothing.
  const leave = linkIn(first!, 'leave')
  expect((await it.api.send('GET', leave, undefined, { token: null })).text).toContain('<button>')
  expect(await it.subscribers()).toHaveLength(1)
  expect((await it.post(leave)).status).toBe(200)
  expect((await it.api.database.query('select from status_subscriptions')).rowCount + (await it.api.database.query('select from status_deliveries')).rowCount).toBe(0)
})

test('nobody is bombed with mail, and nobody learns who subscribed', async () => {
  const it = await world()
  const first = await it.ask('bob@example.com')
  const again = await it.ask('bob@EXAMPLE.com')
  expect(again).toMatchObject({ status: first.status, text: first.text })
  await it.look()
  expect(it.mails.received).toHaveLength(1)
  expect((await it.ask('bob@example.com\r\nBcc: all@example.com')).status).toBe(400)
  expect((await it.ask('not an address')).status).toBe(400)
  // From one network.
  const statuses = []
  for (let index = 0; index < 8; index++) statuses.push((await it.ask(`victim${index}@example.com`)).status)
  expect(statuses).toContain(429)
  // Only editors see addresses.
  for (const token of ['dev', 'view', 'other']) expect((await it.api.send('GET', '/v1/teams/blue/statuspages/main/subscribers', undefined, { token })).status).toBeGreaterThanOrEqual(403)
  expect((await it.post('/status/blue/confirm/abc.def')).status).toBe(403)
  // Who never says yes is forgotten, and with the page everybody.
  await it.api.database.query("update status_subscriptions set asked_at = asked_at - interval '25 hours' where address like 'victim%'")
  await it.api.resources.delete(tester, { kind: 'StatusPage', namespace: 'blue', name: 'main' })
  await it.look()
  expect((await it.api.database.query('select from status_subscriptions')).rowCount).toBe(0)
})

test('while the mail server is away nothing is lost; what it will never take is given up; one who died leaves the rest to another', async () => {
  const it = await world()
  await subscribed(it, 'ada@example.com')
  it.mails.answer.code = 451
  await it.say('We look.')
  const settled = async (): Promise<{ state: string; answer: string; attempts: number }[]> => (await it.api.database.query<{ state: string; answer: string; attempts: number }>("select state, answer, attempts from status_deliveries where about <> 'ask'")).rows
  await expect.poll(async () => {
    await it.look()
    return settled()
  }, { timeout: 20_000, interval: 200 }).toMatchObject([{ state: 'Queued', answer: expect.stringContaining('451') }])
  // As if a server had died while it sent: its lease ends.
  it.mails.answer.code = undefined
  await it.api.database.query("update status_deliveries set attempts = attempts + 1, next_at = now() where state = 'Queued'")
  await it.look(1)
  expect(await settled()).toMatchObject([{ state: 'Delivered' }])
  expect(it.mails.received).toHaveLength(2)
})

test('an editor subscribes an address that answers the challenge; what is posted is signed', async () => {
  const it = await world()
  const posted: { headers: import('node:http').IncomingHttpHeaders; text: string }[] = []
  let answers = false
  const receiver = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      posted.push({ headers: request.headers, text })
      response.end(answers ? JSON.stringify({ challenge: (JSON.parse(text) as { challenge?: string }).challenge }) : 'ok')
    })
  })
  await new Promise<void>((resolve) => void receiver.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void receiver.close())
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`
  const add = (body: object, token = 'lead') => it.api.send('POST', '/v1/teams/blue/statuspages/main/subscribers', body, { token })
  expect((await add({ url }, 'dev')).status).toBe(403)
  expect((await add({ url: 'http://169.254.169.254/' })).status).toBe(422)
  expect((await add({ url })).body.message).toContain('challenge')
  answers = true
  const { body: made } = await add({ url })
  expect(made).toEqual({ id: expect.any(String), signingKey: expect.any(String) })
  posted.length = 0
  await it.say('We look.')
  await expect.poll(async () => {
    await it.look()
    return posted.length
  }, { timeout: 20_000, interval: 200 }).toBe(1)
  const [{ headers, text }] = posted as [(typeof posted)[0]]
  expect(JSON.parse(text)).toMatchObject({ version: 1, type: 'update', page: 'Shop', incident: 'Trouble with Checkout', text: 'We look.' })
  const [, at, mac] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(String(headers['pavior-signature']))!
  expect(mac).toBe(createHmac('sha256', made.signingKey).update(`${at}.${text}`).digest('hex'))
  expect((await it.api.send('DELETE', `/v1/teams/blue/statuspages/main/subscribers/${made.id}`, undefined, { token: 'lead' })).status).toBe(200)
  expect(await it.subscribers()).toEqual([])
})
