/** What came of alerts: counted for each rule, and told at the bell on Mondays. */
import type { AlertStatus } from '@pavior/contract'
import { expect, test } from 'vitest'
import { minuteMs, world, type World } from '../../../../test/alerting.ts'
import { tester } from '../../../../test/kernel.ts'
import type { Alert } from './groups.ts'
import { noiseOf, publishPrecision } from './report.ts'

const dayMs = 24 * 60 * minuteMs
const told: AlertStatus['escalation'] = { level: 1, round: 1, nextAt: '2026-03-01T00:00:00Z' } as never

function alertOf(name: string, since: string, more: Partial<AlertStatus> = {}, severity: 'page' | 'ticket' = 'page'): Alert {
  return { spec: { severity, summary: name, source: { kind: 'AlertRule', name } }, status: { state: 'Resolved', since, escalation: told, ...more } } as Alert
}

test('what woke people for nothing comes first; what nobody was told of and other times do not count', () => {
  const [from, until] = [new Date('2026-03-01T00:00:00Z'), new Date('2026-03-08T00:00:00Z')]
  const report = noiseOf([
    alertOf('good', '2026-03-02T12:00:00Z', { verdict: 'ActedUpon' }),
    alertOf('good', '2026-03-02T13:00:00Z', { verdict: 'ActedUpon' }),
    alertOf('good', '2026-03-02T14:00:00Z', { verdict: 'Noise' }),
    alertOf('loud', '2026-03-02T21:59:59Z', { verdict: 'Noise' }),
    alertOf('loud', '2026-03-02T22:00:00Z', { verdict: 'Noise' }),
    alertOf('loud', '2026-03-03T05:59:59Z'),
    alertOf('loud', '2026-03-03T06:00:00Z', {}, 'ticket'),
    alertOf('loud', '2026-03-03T23:00:00Z', {}, 'ticket'),
    alertOf('quiet', '2026-03-02T12:00:00Z', { escalation: undefined as never, verdict: 'Noise' }),
    alertOf('before', '2026-02-28T23:59:59Z'),
    alertOf('after', '2026-03-08T00:00:00Z'),
    alertOf('fresh', '2026-03-01T00:00:00Z'),
  ], from, until)
  expect(report).toEqual({
    from: from.toISOString(),
    until: until.toISOString(),
    rules: [
      { source: 'AlertRule/loud', alerts: 5, pages: 3, actedUpon: 0, noise: 2, atNight: 2, precision: 0 },
      { source: 'AlertRule/good', alerts: 3, pages: 3, actedUpon: 2, noise: 1, atNight: 0, precision: 0.667 },
      { source: 'AlertRule/fresh', alerts: 1, pages: 1, actedUpon: 0, noise: 0, atNight: 1 },
    ],
  })
})

/** One that is over, so long ago. */
async function over(it: World, rule: string, count: number, agoMs: number, verdict: AlertStatus['verdict']): Promise<void> {
  for (let index = 0; index < count; index++) {
    await it.resources.create(tester, 'Alert', 'blue', { metadata: { generateName: `${rule}-` }, spec: { severity: 'page', summary: rule, source: { kind: 'AlertRule', name: rule } }, status: { state: 'Resolved', since: new Date(it.now().getTime() - agoMs).toISOString(), resolvedAt: it.now().toISOString(), escalation: told, ...(verdict ? { verdict } : {}) } } as never)
  }
}

test('the rule that made most noise is told of on Mondays, once, and what came of alerts stands in the status', async () => {
  const it = await world()
  await it.rule('loud', {})
  await it.rule('good', {})
  await it.lookNow()
  await over(it, 'loud', 2, 2 * dayMs, 'Noise')
  await over(it, 'loud', 1, 10 * dayMs, 'Noise')
  await over(it, 'good', 1, dayMs, 'ActedUpon')
  const notes = async (): Promise<[string, string][]> => (await it.look.events.list(['blue'], { kind: 'AlertRule' })).map(({ involved, message }) => [involved.name, message])
  it.pass(-dayMs)
  await publishPrecision(it.look)
  expect([it.now().getUTCDay(), await notes()]).toEqual([0, []])
  it.pass(dayMs)
  await publishPrecision(it.look)
  await publishPrecision(it.look)
  expect(await notes()).toEqual([['loud', 'Last week: 3 alerts, 2 of them noise, 0 pages at night. loud made most noise: 2 of 2. See pavior alerts report.']])
  const statusOf = async (name: string): Promise<unknown> => (await it.resources.get<{ status: unknown }>(tester, { kind: 'AlertRule', namespace: 'blue', name }))!.status
  expect(await statusOf('loud')).toMatchObject({ precision: { alerts: 3, actedUpon: 0, noise: 3 } })
  expect(await statusOf('good')).toMatchObject({ precision: { alerts: 1, actedUpon: 1, noise: 0 } })
})
