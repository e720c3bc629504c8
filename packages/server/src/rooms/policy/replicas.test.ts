/** Two servers on one database, while policies and exceptions change: both judge by the newest, and neither goes on with an older one. */
import type { Resource } from '@pavior/contract'
import { randomUUID } from 'node:crypto'
import { expect, inject, onTestFinished, test } from 'vitest'
import { startKernel, tester, type TestKernel } from '../../../test/kernel.ts'
import { template } from '../../../test/database-server.ts'
import { systemClock } from '../../kernel/clock.ts'
import { connectDatabase } from '../../kernel/db/index.ts'
import { createLog } from '../../kernel/log.ts'
import { flushStatement } from '../../kernel/store/store.ts'
import { createEngine, type Engine } from './engine.ts'
import { policy, policyException } from './kinds.ts'
import type { Subject } from './plan.ts'

const log = createLog('silent', 'test')
const changes = 60
/** What a replica may be behind: a flush, a notification and a read. */
const behindMs = 5000

interface Replica extends TestKernel {
  engine: Engine
}

async function replicas(count: number): Promise<Replica[]> {
  const { host, user, password } = inject('database')
  const name = `policies_${randomUUID().replaceAll('-', '')}`
  const admin = await connectDatabase({ connection: { host, user, password, database: 'postgres' }, poolSize: 1, flushStatement, log })
  await admin.query(`create database ${name} template ${template}`)
  onTestFinished(async () => {
    await admin.query(`drop database ${name} with (force)`)
    await admin.close()
  })
  return Promise.all(Array.from({ length: count }, () => replica({ host, user, password, database: name })))
}

async function replica(connection: { host: string; user: string; password: string; database: string }): Promise<Replica> {
  const database = await connectDatabase({ connection, poolSize: 4, flushStatement, log })
  onTestFinished(() => database.close())
  const kernel = await startKernel(database, [policy, policyException], () => [])
  const engine = createEngine({ resources: kernel.resources, decisionPoint: { ask: () => Promise.reject(new Error('nobody is asked')) }, clock: systemClock, log })
  const ended = new AbortController()
  for (const part of engine.parts) await part.start(ended.signal)
  onTestFinished(async () => {
    ended.abort()
    for (const part of engine.parts) await part.stop()
  })
  return { ...kernel, engine }
}

const subject: Subject = {
  point: 'admission', verb: 'create', kind: 'App', user: 'user:ada', team: 'shop', app: 'web', environment: undefined, tier: undefined, facts: {}, oldObject: undefined,
  object: { apiVersion: 'pavior.dev/v1', kind: 'App', metadata: { name: 'web', namespace: 'shop', uid: '', resourceVersion: '', creationTimestamp: '' }, spec: {} } as unknown as Resource,
}

const said = ({ engine }: Replica): string => engine.judge(subject, new Map()).flatMap(({ verdicts }) => verdicts.map(({ mode, outcome, message }) => `${mode} ${outcome} ${message}`)).join()
const specOf = (round: number) => ({ title: 'It changes', match: { kinds: ['App'] }, points: ['admission'], severity: 'low', mode: round % 2 === 0 ? 'enforce' : 'warn', failure: 'closed', rules: [{ name: 'rule', expression: round % 3 === 0 ? 'true' : 'false', message: `round ${round}` }] })
const wanted = (round: number): string => `${round % 2 === 0 ? 'enforce' : 'warn'} ${round % 3 === 0 ? 'kept ' : `broken round ${round}`}`

test('two replicas judge by the newest policy, whichever of them wrote it', { timeout: 60_000 }, async () => {
  const both = await replicas(2)
  await both[0]!.resources.create(tester, 'Policy', '', { metadata: { name: 'changing' }, spec: specOf(0) as never })
  for (let round = 1; round <= changes; round++) {
    await both[round % 2]!.resources.mutate(tester, { kind: 'Policy', namespace: '', name: 'changing' }, (current) => ({ ...current!, spec: specOf(round) as never }))
    for (const one of both) await expect.poll(() => said(one), { timeout: behindMs, interval: 1 }).toBe(wanted(round))
  }
  await both[1]!.resources.delete(tester, { kind: 'Policy', namespace: '', name: 'changing' })
  for (const one of both) await expect.poll(() => said(one), { timeout: behindMs }).toBe('')
})

test('writes of both at once leave both with the same, and with the last', { timeout: 60_000 }, async () => {
  const both = await replicas(2)
  await both[0]!.resources.create(tester, 'Policy', '', { metadata: { name: 'changing' }, spec: specOf(0) as never })
  for (const one of both) await expect.poll(() => said(one), { timeout: behindMs }).not.toBe('')
  await Promise.all(both.map(async (one, index) => {
    for (let round = 1 + index; round <= changes; round += 2) {
      await one.resources.mutate(tester, { kind: 'Policy', namespace: '', name: 'changing' }, (current) => ({ ...current!, spec: specOf(round) as never }), { retries: 1000 })
      // Judging goes on meanwhile.
      expect(said(one)).not.toBe('')
    }
  }))
  const last = (await both[0]!.resources.mustGet<Resource<{ rules: { message: string }[] }>>(tester, { kind: 'Policy', namespace: '', name: 'changing' })).spec.rules[0]!.message
  for (const one of both) await expect.poll(() => said(one), { timeout: behindMs }).toBe(wanted(Number(last.replace('round ', ''))))
})
