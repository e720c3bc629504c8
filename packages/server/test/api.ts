/** The HTTP server over a kernel of its own, with tokens that name their actors. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fail, type Resource, type Role } from '@pavior/contract'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import { onTestFinished } from 'vitest'
import type { Actor } from '../src/kernel/actor.ts'
import { createApi, type ApiDeps } from '../src/kernel/api/index.ts'
import { createIdempotencyStore } from '../src/kernel/api/idempotency-store.ts'
import { createAuditLog, type AuditLog } from '../src/kernel/audit/audit.ts'
import { keptSealKey, type SealKey } from '../src/kernel/audit/key.ts'
import { createEventRecorder, type EventRecorder } from '../src/kernel/audit/events.ts'
import { systemClock } from '../src/kernel/clock.ts'
import type { KindDefinition } from '../src/kernel/kind.ts'
import { createLog } from '../src/kernel/log.ts'
import { mayAct, readableTeams } from '../src/kernel/resources/index.ts'
import { kernelTestKinds } from '../src/kernel/kube/testing/kinds.ts'
import { testKernel, type TestKernel } from './kernel.ts'

const log = createLog(process.env.PAVIOR_TEST_LOG ?? 'silent', 'test')

async function testSealKey(): Promise<SealKey> {
  const directory = await mkdtemp(join(tmpdir(), 'pavior-keys-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return keptSealKey(directory)
}

export interface TestApi extends TestKernel {
  app: FastifyInstance
  url: string
  recorder: EventRecorder
  audit: AuditLog
  sealKey: SealKey
  metrics: Registry
  /** Resolves when a request arrives whose method and URL match, for example /^GET .*watch=true/. */
  seen(pattern: RegExp): Promise<void>
  /** Sends as an administrator unless `token` says otherwise; objects become JSON. */
  send(method: string, path: string, body?: unknown, options?: SendOptions): Promise<Answer>
}

export interface SendOptions {
  token?: string | null
  type?: string
  headers?: Record<string, string>
}

export interface Answer {
  status: number
  headers: Headers
  text: string
  body: any
}

const person = (name: string, roles: Record<string, Role> = {}, admin = false): Actor => ({
  name: `user:${name}`,
  kind: 'user',
  admin,
  roles: new Map(Object.entries(roles)),
})

/** By token. */
const people: Record<string, Actor> = {
  root: person('root', {}, true),
  dev: person('dev', { blue: 'developer' }),
  view: person('view', { blue: 'viewer' }),
  other: person('other', { green: 'admin' }),
  lead: person('lead', { blue: 'admin', green: 'viewer' }),
}

const authenticate: ApiDeps['authenticate'] = async ({ headers }) => {
  const actor = people[(headers.authorization ?? '').replace('Bearer ', '')]
  if (!actor) throw fail('UNAUTHENTICATED', { message: 'The request carries no valid token.' })
  return actor
}

export interface TestApiOptions extends Partial<Pick<ApiDeps, 'limits' | 'routes' | 'log' | 'ready' | 'idempotency' | 'tls'>> {
  kinds?: KindDefinition[]
  teams?: string[]
}

export async function testApi({ kinds = kernelTestKinds, teams = ['blue', 'green'], ...over }: TestApiOptions = {}): Promise<TestApi> {
  const kernel = await testKernel(kinds)
  const recorder = createEventRecorder(kernel.database)
  const metrics = new Registry()
  const key = await testSealKey()
  const audit = createAuditLog({ database: kernel.database, feed: kernel.feed, key, keepMs: 90 * 24 * 3600_000, clock: systemClock, registry: metrics, log })
  const app = createApi({
    kinds: kernel.kinds,
    resources: kernel.resources,
    authenticate,
    routes: [],
    events: {
      list: (actor, namespace, filter) =>
        recorder.list(namespace === undefined ? readableTeams(actor) : [namespace], filter),
    },
    audit,
    authorize: mayAct,
    idempotency: createIdempotencyStore(kernel.database),
    version: { version: '0.1.0' },
    metrics,
    health: () => ({ checks: [{ name: 'process', problem: undefined }] }),
    ready: () => ({ checks: [{ name: 'database', problem: undefined }] }),
    log,
    clock: systemClock,
    ...over,
  })
  const waiting = new Set<{ pattern: RegExp; resolve: () => void }>()
  app.addHook('onRequest', (request, _reply, done) => {
    for (const waiter of waiting) {
      if (!waiter.pattern.test(`${request.method} ${request.url}`)) continue
      waiting.delete(waiter)
      waiter.resolve()
    }
    done()
  })
  const seen: TestApi['seen'] = (pattern) => new Promise((resolve) => void waiting.add({ pattern, resolve }))
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => app.close())
  if (kinds.some(({ kind }) => kind === 'Team')) {
    for (const name of teams) await kernel.resources.create(people.root!, 'Team', '', { metadata: { name }, spec: {} })
  }
  const send: TestApi['send'] = async (method, path, body, { token = 'root', type = 'application/json', headers = {} } = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': type }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: /json/.test(response.headers.get('content-type') ?? '') && text ? JSON.parse(text) : undefined,
    }
  }
  return { ...kernel, app, url, recorder, audit, sealKey: key, metrics, seen, send }
}

export const appsPath = '/apis/pavior.dev/v1/namespaces/blue/apps'

export const appBody = (name: string, spec: object = {}, metadata: object = {}): Partial<Resource> => ({
  apiVersion: 'pavior.dev/v1',
  kind: 'App',
  metadata: { name, ...metadata } as never,
  spec: spec as never,
})
