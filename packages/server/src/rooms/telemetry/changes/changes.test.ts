import { existsSync, readFileSync } from 'node:fs'
import { expect, describe, test } from 'vitest'
import { appBody, appsPath, testApi } from '../../../../test/api.ts'
import { testDatabase } from '../../../../test/kernel.ts'
import { systemClock } from '../../../kernel/clock.ts'
import { createLog } from '../../../kernel/log.ts'
import { testSenders } from '../metrics/testing-api.ts'
import { intakeRoutes } from '../otlp/intake.ts'
import { readCloudEvents } from './cloud-events.ts'
import { createChanges } from './index.ts'

const now = Date.parse('2026-01-05T10:00:00Z')
const one = { specversion: '1.0', id: 'a-1', source: '/flags', type: 'com.example.flag.changed', subject: 'new-cart', time: '2026-01-05T09:59:00Z', data: { message: 'new-cart is on\nfor 10 %' } }
const json = { 'content-type': 'application/cloudevents+json; charset=utf-8' }
const read = (headers: Record<string, string>, body: unknown): unknown => readCloudEvents(headers, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), now)

describe('CloudEvents', () => {
  const expected = { id: 'a-1', source: '/flags', type: 'com.example.flag.changed', subject: 'new-cart', atMs: now - 60_000, text: 'new-cart is on for 10 %', data: one.data }
  test('come as one, as several, and with their attributes in header fields', () => {
    expect(read(json, one)).toEqual([expected])
    expect(read({ 'content-type': 'application/cloudevents-batch+json' }, [one, { ...one, id: 'a-2' }])).toEqual([expected, { ...expected, id: 'a-2' }])
    const headers = { 'ce-specversion': '1.0', 'ce-id': 'a-1', 'ce-source': '/flags', 'ce-type': one.type, 'ce-subject': 'new%2Dcart', 'ce-time': one.time }
    expect(read({ ...headers, 'content-type': 'application/json' }, one.data)).toEqual([expected])
    expect(read({ ...headers, 'content-type': 'text/plain' }, 'the cart is new')).toEqual([{ ...expected, text: 'the cart is new', data: 'the cart is new' }])
    expect(read(headers, '')).toMatchObject([{ text: 'com.example.flag.changed: new-cart' }])
  })

  test('of the future are of now, and data that is too large is left out', () => {
    expect(read(json, { ...one, time: '2027-01-01T00:00:00Z', data: { message: 'x'.repeat(9000) } })).toEqual([{ ...expected, atMs: now, text: 'x'.repeat(300), data: undefined }].map(({ data: _, ...rest }) => rest))
    expect(read(json, { specversion: '1.0', id: 'x', source: 'y', type: 'z' })).toEqual([{ id: 'x', source: 'y', type: 'z', atMs: now, text: 'z' }])
  })

  test.each([
    ['no JSON', json, '{'], ['a list', json, []], ['another version', json, { ...one, specversion: '0.3' }], ['no id', json, { ...one, id: '' }], ['a source that is no text', json, { ...one, source: 3 }],
    ['no time', json, { ...one, time: 'soon' }], ['a batch that is none', { 'content-type': 'application/cloudevents-batch+json' }, one], ['too many', { 'content-type': 'application/cloudevents-batch+json' }, Array.from({ length: 101 }, () => one)], ['something else', { 'content-type': 'application/json' }, one],
  ])('%s is refused', (_, headers, body) => {
    expect(() => read(headers, body)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }))
  })

  test('the published examples of names are taken', ({ skip }) => {
    const file = new URL('../../../../../../../shared/fixtures/cloudevents/cloudevents.json', import.meta.url)
    if (!existsSync(file)) skip('the published examples are not here')
    const { properties } = JSON.parse(readFileSync(file, 'utf8')) as { properties: Record<string, { examples?: unknown[] }> }
    for (const source of properties.source!.examples!) for (const type of properties.type!.examples!) expect(read(json, { ...one, source, type })).toMatchObject([{ source, type }])
  })
})

test('a change is kept once, read by those who see the app, and told with it', async () => {
  const database = await testDatabase()
  const later: { api?: Awaited<ReturnType<typeof testApi>> } = {}
  const resources = { mustGet: (...given: unknown[]) => (later.api!.resources.mustGet as any)(...given), get: (...given: unknown[]) => (later.api!.resources.get as any)(...given) } as never
  const changes = createChanges({ database, resources, events: { record: (...given) => later.api!.recorder.record(...given) }, clock: systemClock, log: createLog('silent', 'test') })
  const intake = intakeRoutes({ senders: testSenders, resources, instances: { known: () => [], current: async () => [] }, signals: [], others: [changes.wayIn], bodyBytes: 1024 * 1024, clock: systemClock })
  const api = await testApi({ routes: [changes.routes, intake] })
  later.api = api
  for (const app of ['shop', 'stock']) await api.send('POST', appsPath, appBody(app))
  const send = (body: unknown, headers: Record<string, string> = {}): Promise<number> =>
    fetch(`${api.url}/v1/cloudevents`, { method: 'POST', headers: { authorization: 'Bearer of-shop', 'content-type': 'application/cloudevents+json', ...headers }, body: JSON.stringify(body) }).then(({ status }) => status)
  const recently = { ...one, time: new Date(Date.now() - 60_000).toISOString() }
  expect([await send(recently), await send(recently), await send({ ...recently, id: 'a-2', data: { message: 'off again' } })]).toEqual([202, 202, 202])
  const { body } = await api.send('GET', '/v1/teams/blue/apps/shop/changes')
  expect(body.items.map(({ id, text, environment }: { id: string; text: string; environment: string }) => [id, text, environment]).toSorted()).toEqual([['a-1', 'new-cart is on for 10 %', 'production'], ['a-2', 'off again', 'production']])
  expect((await changes.of('blue', ['shop', 'stock'], new Date(0), new Date(), 10)).length).toBe(2)
  expect((await api.send('GET', '/v1/teams/blue/apps/shop/changes', undefined, { token: 'other' })).status).toBe(403)
  const told = await api.recorder.list(['blue'], { kind: 'App', name: 'shop' })
  expect(told.map(({ reason, message, count }) => [reason, message, count]).toSorted()).toEqual([['ChangedElsewhere', 'new-cart is on for 10 % (production, told by /flags)', 1], ['ChangedElsewhere', 'off again (production, told by /flags)', 1]])
  expect(await send(recently, { authorization: 'Bearer user:dev', 'pavior-team': 'green', 'pavior-app': 'shop' })).toBe(403)
  expect(await send({}, {})).toBe(400)
})
