/** Trying an export. */
import type { FastifyInstance } from 'fastify'
import { RateLimiter, tooMany } from '../../../kernel/api/limits.ts'
import type { Routes } from '../../../kernel/api/types.ts'
import type { WriteNote } from '../../../kernel/audit/notes.ts'
import type { Clock } from '../../../kernel/clock.ts'
import { authorize } from '../../../kernel/resources/authorize.ts'
import type { Resources } from '../../../kernel/resources/index.ts'
import { telemetryExport } from './kinds.ts'
import { emptyBatch } from './ports.ts'
import type { Sender, TelemetryExport } from './send.ts'

const testsPerSecond = 1 / 5
const testBurst = 5

interface Params {
  team: string
  name: string
}

export function exportRoutes({ resources, sender, audit, clock }: { resources: Resources; sender: Sender; audit: WriteNote; clock: Clock }): Routes {
  const tests = new RateLimiter(testsPerSecond, testBurst, clock)
  return (server: FastifyInstance) => {
    server.post<{ Params: Params }>('/v1/teams/:team/telemetryexports/:name/test', async ({ actor, params: { team, name }, id: requestId, ip }) => {
      const found = await resources.mustGet<TelemetryExport>(actor, { kind: 'TelemetryExport', namespace: team, name })
      authorize(actor, 'update', telemetryExport, team, { name, spec: found.spec, next: found.spec })
      const waitSeconds = tests.take(`${team}/${name}`)
      if (waitSeconds !== undefined) throw tooMany(`${name} was tried a moment ago.`, waitSeconds)
      await audit({ actor: actor.name, verb: 'test', kind: 'TelemetryExport', namespace: team, name, uid: found.metadata.uid, requestId, address: ip, token: actor.token })
      const signals = []
      for (const signal of found.spec.signals) signals.push({ signal, answer: (await sender.send(found, emptyBatch(signal), new AbortController().signal, true)).answer })
      return { works: true, signals }
    })
  }
}
