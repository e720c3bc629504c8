/** The ways in over HTTP, over a kernel of its own, for tests. */
import { fail } from '@pavior/contract'
import { Registry } from 'prom-client'
import { onTestFinished } from 'vitest'
import { appBody, appsPath, testApi, type TestApi } from '../../../../test/api.ts'
import { testDatabase } from '../../../../test/kernel.ts'
import { systemActor } from '../../../kernel/actor.ts'
import { systemClock } from '../../../kernel/clock.ts'
import { createLog } from '../../../kernel/log.ts'
import { intakeRoutes } from '../otlp/intake.ts'
import type { Instances, Senders } from '../ports.ts'
import { createMetrics, type MetricSettings, type Metrics } from './index.ts'
import type { Series } from './series.ts'
import { day } from './testing.ts'

const apps: Record<string, { team: string; app: string; environment: string }> = {
  'Bearer of-shop': { team: 'blue', app: 'shop', environment: 'production' },
  'Bearer of-stock': { team: 'blue', app: 'stock', environment: 'production' },
}
export const instance = { id: 'shop-web-1-abc', team: 'blue', app: 'shop', environment: 'production', release: 7, process: 'web', healthy: true, asleep: false, restarts: 0 }

export const testSenders: Senders = {
  ofToken: async (authorization = '') => apps[authorization],
  authenticate: async ({ headers }) => {
    if (headers.authorization === undefined || headers.authorization === 'Bearer none') throw fail('UNAUTHENTICATED', { message: 'The request carries no valid token.' })
    return { ...systemActor('x'), name: headers.authorization.replace('Bearer ', 'user:') }
  },
  mayWrite: ({ name }, team) => name === 'user:dev' && team === 'blue',
  defaultEnvironment: () => 'production',
}

export interface Room {
  api: TestApi
  room: Metrics
  read(name: string): Promise<Series[]>
  /** Sends to the endpoint of OTLP as the shop, as JSON unless it is bytes. */
  post(body: unknown, over?: { token?: string; path?: string; headers?: Record<string, string> }): Promise<{ status: number; headers: Headers; bytes: Buffer; json: any }>
}

export async function metricsApi(over: Partial<MetricSettings & { bodyBytes: number }> = {}): Promise<Room> {
  const database = await testDatabase()
  const later: { api?: TestApi } = {}
  const instances: Instances = { known: () => [instance], current: async () => [instance] }
  const resources = { mustGet: (...given: unknown[]) => (later.api!.resources.mustGet as any)(...given), get: (...given: unknown[]) => (later.api!.resources.get as any)(...given) } as never
  const room = createMetrics({
    database,
    resources,
    events: { record: (...given) => later.api!.recorder.record(...given) },
    instances,
    settings: { retention: { rawMs: 2 * day, minutesMs: 14 * day, hoursMs: 400 * day }, appSeries: 100, appPointsPerSecond: 100_000, ...over },
    logRates: { linesPerSecond: 1000, bytesPerSecond: 1_000_000 },
    registry: new Registry(),
    serverName: () => 'test:1',
    clock: systemClock,
    log: createLog('silent', 'test'),
  })
  onTestFinished(async () => {
    for (const part of room.parts) await part.stop()
  })
  const intake = intakeRoutes({ senders: testSenders, resources, instances, signals: [room.signal], others: [room.remoteWrite], bodyBytes: over.bodyBytes ?? 1024 * 1024, clock: systemClock })
  const api = await testApi({ routes: [room.routes, intake] })
  later.api = api
  for (const app of ['shop', 'stock']) await api.send('POST', appsPath, appBody(app))
  return {
    api,
    room,
    read: (name) => room.series.select({ teams: ['blue'], matchers: [{ name: '__name__', op: '=', value: name }], fromMs: Date.now() - 3600_000, untilMs: Date.now() + 3600_000 }, new AbortController().signal),
    post: async (body, { token = 'of-shop', path = '/v1/otlp/v1/metrics', headers = {} } = {}) => {
      const bytes = body instanceof Uint8Array
      const response = await fetch(api.url + path, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': bytes ? 'application/x-protobuf' : 'application/json', ...headers }, body: bytes ? (body as never) : JSON.stringify(body) })
      const answer = Buffer.from(await response.arrayBuffer())
      return { status: response.status, headers: response.headers, bytes: answer, json: /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(answer.toString()) : undefined }
    },
  }
}
