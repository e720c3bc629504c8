/** Every form of message against a stand-in that speaks its API, with texts that want to be something else. */
import dns from 'node:dns'
import type { AddressInfo } from 'node:net'
import type { ServerResponse } from 'node:http'
import type { NotificationChannelSpec } from '@pavior/contract'
import tls from 'node:tls'
import { SMTPServer } from 'smtp-server'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { makeCertificate } from '../../kernel/api/certificate.ts'
import type { Message, Target } from '../../rooms/reliability/notify/ports.ts'
import { standIn, type StandIn, type Taken } from '../../../test/alerting.ts'
import { mailOf } from './email.ts'
import { notifiers } from './index.ts'

const hostile = 'a\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script> <!channel> <https://evil|click> [x](https://evil) *b* `c` @everyone \u202e "q"'
const signal = (): AbortSignal => AbortSignal.timeout(10_000)

const message = (kind: Message['kind'], more: Partial<Message> = {}): Message => ({
  id: `id-${kind}`, kind, at: '2026-03-02T12:00:00.000Z', severity: 'page', team: 'blue', name: 'load-1', alert: 'alert-uid', summary: hostile, app: 'shop', environment: 'production',
  labels: { host: hostile }, examples: [hostile], members: 3, since: '2026-03-02T12:00:00.000Z', affects: ['blue/web'], runbook: 'https://runbooks.example/load', note: hostile, by: 'user:ada',
  links: { alert: 'https://pavior.example/alerts/blue/load-1', acknowledge: 'https://pavior.example/v1/alert-links/ack', resolve: 'https://pavior.example/v1/alert-links/resolve' }, ...more,
})

interface Case {
  target: (url: string) => Target
  /** Answers as the API does when all is well. */
  well: (request: Taken, response: ServerResponse) => void
  /** Of one message. */
  check: (taken: Taken[], kind: Message['kind']) => void
}

const target = (spec: NotificationChannelSpec, secrets: Record<string, string> = {}): Target => ({ spec, secrets })

const cases: Record<string, Case> = {
  slack: {
    target: (url) => target({ slack: { urlSecret: 'hook' } }, { urlSecret: `${url}/services/T0/B0/secret-of-slack` }),
    well: (_request, response) => void response.end('ok'),
    check: ([{ body }]: any) => {
      expect(body.blocks.map(({ type }: { type: string }) => type)).toEqual(['header', 'section', 'actions'])
      expect(body.blocks[0].text.type).toBe('plain_text')
      // Of these two Slack takes marks; a plain text is plain.
      expect(JSON.stringify([body.text, body.blocks[1]])).not.toMatch(/<!channel|<https|<script|@everyone/)
      expect(JSON.stringify(body)).not.toContain('\u202e')
    },
  },
  teams: {
    target: (url) => target({ teams: { urlSecret: 'hook' } }, { urlSecret: `${url}/workflows/secret-of-teams` }),
    well: (_request, response) => void response.writeHead(202).end(),
    check: ([{ body }]: any) => {
      expect(body.attachments[0]).toMatchObject({ contentType: 'application/vnd.microsoft.card.adaptive', content: { type: 'AdaptiveCard', version: '1.4' } })
      expect(JSON.stringify(body.attachments[0].content.body)).not.toMatch(/[^\\]\]\(https|<script|\u202e|@everyone/)
    },
  },
  pagerduty: {
    target: (url) => target({ pagerduty: { routingKeySecret: 'key', url: `${url}/v2/enqueue` } }, { routingKeySecret: 'secret-of-pagerduty' }),
    well: (_request, response) => void response.writeHead(202).end('{"status":"success"}'),
    check: (taken, kind) => {
      const action = { Fired: 'trigger', Flapping: 'trigger', Acknowledged: 'acknowledge', Resolved: 'resolve', Test: 'trigger', Incident: 'trigger' }[kind]
      expect(taken[0]!.body).toMatchObject({ routing_key: 'secret-of-pagerduty', event_action: action, dedup_key: 'alert-uid' })
      if (kind === 'Fired') expect(taken[0]!.body.payload).toMatchObject({ severity: 'critical', source: 'blue/shop', timestamp: '2026-03-02T12:00:00.000Z' })
      if (kind === 'Fired') expect(taken[0]!.body.payload.summary).not.toMatch(/[\r\n\u202e]/)
      if (kind === 'Test') expect(taken[1]!.body.event_action).toBe('resolve')
    },
  },
  webhook: {
    target: (url) => target({ webhook: { url: `${url}/in`, signingSecret: 'key' } }, { signingSecret: 'secret-of-webhook' }),
    well: (_request, response) => void response.end(),
    check: ([taken], kind) => {
      expect(taken!.headers).toMatchObject({ 'content-type': 'application/json', 'pavior-delivery': `id-${kind}`, 'pavior-signature': expect.stringMatching(/^t=\d+,v1=[0-9a-f]{64}$/) })
      expect(taken!.body).toMatchObject({ version: 1, kind, summary: hostile })
    },
  },
  servicenow: {
    target: (url) => target({ servicenow: { url, user: 'pavior', passwordSecret: 'pw', fields: { assignment_group: 'sre' } } }, { passwordSecret: 'secret-of-servicenow' }),
    well: ({ method }, response) => void response.writeHead(method === 'POST' ? 201 : 200).end(JSON.stringify({ result: method === 'GET' ? [] : { sys_id: 'abc123', number: 'INC001' } })),
    check: (taken, kind) => {
      expect(taken[0]!.headers.authorization).toBe(`Basic ${Buffer.from('pavior:secret-of-servicenow').toString('base64')}`)
      if (kind === 'Resolved') return expect(taken.map(({ method }) => method)).toEqual(['GET'])
      expect(taken[1]).toMatchObject({ method: 'POST', path: '/api/now/table/incident?sysparm_fields=sys_id,number', body: { correlation_id: 'alert-uid', assignment_group: 'sre' } })
      expect(taken[1]!.body.short_description).not.toMatch(/[\r\n]/)
    },
  },
}

/** Every name, until the test ends. */
function namesLeadTo(address: string): void {
  const spy = vi.spyOn(dns, 'lookup').mockImplementation(((_name: string, _options: object, done: (error: null, found: object[]) => void) => void setImmediate(() => done(null, [{ address, family: 4 }]))) as never)
  onTestFinished(() => spy.mockRestore())
}

for (const [type, { target: targetFor, well, check }] of Object.entries(cases)) {
  describe(type, () => {
    const send = async (it: StandIn, kind: Message['kind'], ref?: string) => (await notifiers[type]!())({ ...targetFor(it.url), ...(ref ? { ref } : {}) }, message(kind), signal())
    const failure = async (answer: StandIn['answer']): Promise<any> => {
      const it = await standIn()
      it.answer = answer
      return send(it, 'Fired').then(() => undefined, (error: unknown) => error)
    }

    test.each(['Fired', 'Flapping', 'Acknowledged', 'Resolved', 'Test'] as const)('%s is said in its form', async (kind) => {
      const it = await standIn()
      it.answer = well
      const { answer } = await send(it, kind)
      expect(answer).not.toContain('secret-of')
      check(it.taken, kind)
    })

    test('too many, an error there and a redirection are failures; the first two pass', async () => {
      expect(await failure((_request, response) => void response.writeHead(429, { 'retry-after': '7' }).end('slow down'))).toMatchObject({ code: 'NOTIFICATION_FAILED', details: { facts: { final: false, retryAfterMs: 7000 } } })
      expect(await failure((_request, response) => void response.writeHead(500).end())).toMatchObject({ details: { facts: { final: false } } })
      expect(await failure((_request, response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end())).toMatchObject({ details: { facts: { final: true } } })
    })

    test('link-local addresses are refused for good, as they are, behind a name and behind a redirection', async () => {
      const refusal = (url: string): Promise<any> => notifiers[type]!().then((notify) => notify(targetFor(url), message('Fired'), signal())).then(() => undefined, (error: unknown) => error)
      const refused = { code: 'NOTIFICATION_FAILED', message: expect.stringContaining('is link-local'), details: { facts: { final: true } } }
      expect(await refusal('http://169.254.169.254')).toMatchObject(refused)
      expect(await refusal('https://[::ffff:169.254.169.254]')).toMatchObject(refused)
      const it = await standIn()
      it.answer = (_request, response) => void response.writeHead(307, { location: 'http://169.254.169.254/' }).end()
      expect(await refusal(it.url)).toMatchObject({ message: expect.stringContaining('It answered 307') })
      expect(it.taken).toHaveLength(1)
      namesLeadTo('169.254.169.254')
      expect(await refusal('http://metadata.example')).toMatchObject(refused)
      namesLeadTo('127.0.0.1')
      it.answer = well
      expect(await refusal(it.url.replace('127.0.0.1', 'tools.example'))).toBeUndefined()
    })

    test('a refusal is for good and tells no secret, even when it is repeated', async () => {
      const error = await failure((request, response) => void response.writeHead(400).end(`bad: ${request.path} ${request.headers.authorization} ${JSON.stringify(request.body)} secret-of-${type}`))
      expect(error).toMatchObject({ details: { facts: { final: true } } })
      expect(JSON.stringify(error.toObject())).not.toContain(`secret-of-${type}`)
    })
  })
}

test('a webhook of Slack that is gone is gone for good', async () => {
  const it = await standIn()
  it.answer = (_request, response) => void response.writeHead(404).end('no_service')
  await expect((await notifiers.slack!())(cases.slack!.target(it.url), message('Fired'), signal())).rejects.toMatchObject({ message: 'Slack does not take messages by this webhook any more: no_service.', details: { facts: { final: true } } })
})

test('a ticket that is there already is found again, gets notes, and is closed', async () => {
  const it = await standIn()
  it.answer = ({ method }, response) => void response.end(JSON.stringify({ result: method === 'GET' ? [{ sys_id: 'found' }] : { sys_id: 'found' } }))
  const servicenow = await notifiers.servicenow!()
  expect(await servicenow(cases.servicenow!.target(it.url), message('Fired'), signal())).toMatchObject({ ref: 'found' })
  expect(it.taken.map(({ method, path }) => `${method} ${path.split('?')[0]}`)).toEqual(['GET /api/now/table/incident', 'PATCH /api/now/table/incident/found'])
  it.taken.splice(0)
  await servicenow({ ...cases.servicenow!.target(it.url), ref: 'found' }, message('Resolved'), signal())
  expect(it.taken).toMatchObject([{ method: 'PATCH', path: '/api/now/table/incident/found', body: { state: '6' } }])
})

describe('email', () => {
  interface Received {
    to: string[]
    encrypted: boolean
    text: string
  }

  async function mailServer(options: { password?: string; refuse?: number; certificate?: { key: string; cert: string } } = {}): Promise<{ port: number; received: Received[]; end: () => void }> {
    const received: Received[] = []
    const server = new SMTPServer({
      // Without one, a certificate for itself comes with the library; who sends does not trust it.
      ...options.certificate,
      authOptional: options.password === undefined,
      allowInsecureAuth: true,
      onAuth: (auth, _session, done) => (auth.password === options.password ? done(null, { user: auth.username }) : done(new Error('Invalid username or password'))),
      onRcptTo: (_address, _session, done) => (options.refuse === undefined ? done() : done(Object.assign(new Error('no such user'), { responseCode: options.refuse }))),
      onData: (stream, session, done) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          received.push({ to: session.envelope.rcptTo.map(({ address }) => address), encrypted: session.secure, text: Buffer.concat(chunks).toString() })
          done()
        })
      },
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
    const end = (): void => server.close()
    onTestFinished(end)
    return { port: (server.server.address() as AddressInfo).port, received, end }
  }

  const mailTarget = (port: number, more: object = {}, secrets: Record<string, string> = {}): Target => ({ spec: { email: { host: '127.0.0.1', port, security: 'none', from: 'pavior@example.com', to: ['ops@example.com'], ...more } }, secrets })

  test('is one mail to those who shall get it; no text becomes a header or markup', async () => {
    const { port, received } = await mailServer({ password: 'secret-of-mail' })
    const email = await notifiers.email!()
    await email(mailTarget(port, { user: 'pavior' }, { passwordSecret: 'secret-of-mail' }), message('Fired'), signal())
    await email({ ...mailTarget(port, { user: 'pavior' }, { passwordSecret: 'secret-of-mail' }), mailTo: ['ada@example.com'] }, message('Resolved'), signal())
    expect(received.map(({ to }) => to)).toEqual([['ops@example.com'], ['ada@example.com']])
    const [head = ''] = received[0]!.text.split('\r\n\r\n')
    expect(head).not.toMatch(/^bcc:/im)
    expect(head).toMatch(/^Message-ID: <id-Fired@example.com>$/m)
    expect(received[1]!.text).toMatch(/^In-Reply-To: <alert-uid@example.com>$/m)
    const { html, subject } = mailOf(message('Fired'), 'pavior@example.com', ['ops@example.com'])
    expect(html).not.toMatch(/<script|<https|<!channel/)
    expect(subject).not.toMatch(/[\r\n]/)
  })

  test('a wrong password may be mended, an address that does not exist may not, and neither tells a secret', async () => {
    const email = await notifiers.email!()
    const locked = await mailServer({ password: 'another' })
    const wrong = await email(mailTarget(locked.port, { user: 'pavior' }, { passwordSecret: 'secret-of-mail' }), message('Fired'), signal()).catch((error: unknown) => error)
    expect(wrong).toMatchObject({ code: 'NOTIFICATION_FAILED', details: { facts: { final: false } } })
    expect(JSON.stringify(wrong)).not.toContain('secret-of-mail')
    const { port } = await mailServer({ refuse: 550 })
    await expect(email(mailTarget(port), message('Fired'), signal())).rejects.toMatchObject({ details: { facts: { final: true } } })
    const closed = await mailServer()
    closed.end()
    await expect(email(mailTarget(closed.port), message('Fired'), signal())).rejects.toMatchObject({ message: expect.stringContaining('could not be used') })
  })

  test('goes out encrypted where STARTTLS is offered with a certificate that is trusted and made for that name', async () => {
    const certificate = await makeCertificate(['mail.example'], new Date())
    const { port, received } = await mailServer({ certificate, password: 'secret-of-mail' })
    const trusted = tls.createSecureContext
    const spy = vi.spyOn(tls, 'createSecureContext').mockImplementation((options) => trusted({ ...options, ca: certificate.cert }))
    onTestFinished(() => spy.mockRestore())
    namesLeadTo('127.0.0.1')
    const email = await notifiers.email!()
    const to = (host: string): Target => mailTarget(port, { host, security: 'starttls', user: 'pavior' }, { passwordSecret: 'secret-of-mail' })
    expect(await email(to('mail.example'), message('Fired'), signal())).toEqual({ answer: 'mail.example took it.' })
    await expect(email(to('other.example'), message('Fired'), signal())).rejects.toMatchObject({ code: 'NOTIFICATION_FAILED' })
    expect(received.map(({ encrypted }) => encrypted)).toEqual([true])
  })

  test('is not sent to link-local mail servers, as they are or behind a name', async () => {
    const email = await notifiers.email!()
    const refused = { code: 'NOTIFICATION_FAILED', message: expect.stringContaining('is link-local'), details: { facts: { final: true } } }
    await expect(email(mailTarget(25, { host: '::ffff:169.254.169.254' }), message('Fired'), signal())).rejects.toMatchObject(refused)
    namesLeadTo('169.254.169.254')
    await expect(email(mailTarget(25, { host: 'metadata.example' }), message('Fired'), signal())).rejects.toMatchObject(refused)
  })

  test('in the clear is said to nobody who asked for STARTTLS', async () => {
    const { port, received } = await mailServer()
    await expect((await notifiers.email!())(mailTarget(port, { security: 'starttls' }), message('Fired'), signal())).rejects.toMatchObject({ code: 'NOTIFICATION_FAILED' })
    expect(received).toEqual([])
  })
})
