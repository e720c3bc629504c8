import type { Rotation, SecretSpec, SecretStatus } from '@pavior/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { afterFailure, clashOf, dueOf, givenIn, inForce, isBound, keptVersions, planRotation, precision, refsFor, withNewVersion, type Running, type Secret } from './plan.ts'

const secretOf = (name: string, spec: Partial<SecretSpec>, status: SecretStatus = { version: 1 }): Secret => ({
  apiVersion: 'pavior.dev/v1',
  kind: 'Secret',
  metadata: { name, namespace: 'blue', uid: `uid-${name}`, generation: 1, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { key: 'KEY', ...spec },
  status,
})
const place = { app: 'shop', environment: 'production', tier: 'production' }
const preview = { app: 'shop', environment: 'pr-1', tier: 'preview' }

describe('who gets a secret', () => {
  test.each<[string, Partial<SecretSpec>, boolean, boolean]>([
    ['every app, everywhere but in previews', {}, true, false],
    ['previews when it says so', { previews: true }, true, true],
    ['only the app that is named', { app: 'other' }, false, false],
    ['only the environments that are named', { environments: ['staging'] }, false, false],
    ['a preview that is named', { environments: ['pr-1'] }, false, true],
    ['nobody when the list is empty', { environments: [] }, false, false],
    ['previews beside those that are named', { environments: ['staging'], previews: true }, false, true],
  ])('%s', (_words, spec, inProduction, inPreview) => {
    expect([isBound({ key: 'KEY', ...spec }, place), isBound({ key: 'KEY', ...spec }, preview)]).toEqual([inProduction, inPreview])
  })

  const specs = fc.record({
    key: fc.constantFrom('A', 'B', 'C'),
    app: fc.constantFrom(undefined, 'shop', 'other'),
    environments: fc.constantFrom(undefined, [], ['production'], ['staging', 'production'], ['pr-1']),
    previews: fc.boolean(),
  })
  const secrets = fc.array(fc.tuple(specs, fc.constantFrom(undefined, 1, 2)), { maxLength: 12 }).map((list) => list.map(([spec, version], index) => secretOf(`s${index}`, spec as SecretSpec, version === undefined ? {} : { version })))

  test('has one for each key, the most precise that is bound and in force, in an order that does not depend on theirs', () => {
    fc.assert(
      fc.property(secrets, fc.constantFrom(place, preview), (all, where) => {
        const refs = refsFor(all, where)
        expect(refs).toEqual(refsFor(all.toReversed(), where))
        expect(new Set(refs.map(({ key }) => key)).size).toBe(refs.length)
        for (const ref of refs) {
          const chosen = all.find(({ metadata }) => metadata.uid === ref.uid)!
          const possible = all.filter(({ spec, status }) => spec.key === ref.key && status?.version !== undefined && isBound(spec, where))
          expect(possible).toContain(chosen)
          expect(Math.max(...possible.map(({ spec }) => precision(spec, where)))).toBe(precision(chosen.spec, where))
        }
      }),
    )
  })

  test('is never in doubt where no two clash', () => {
    fc.assert(
      fc.property(secrets, fc.constantFrom(place, preview), (all, where) => {
        const apart = all.reduce<Secret[]>((kept, one) => (clashOf(one, kept) ? kept : [...kept, one]), [])
        for (const { key } of refsFor(apart, where)) {
          const ranks = apart.filter(({ spec, status }) => spec.key === key && status?.version !== undefined && isBound(spec, where)).map(({ spec }) => precision(spec, where))
          expect(ranks.filter((rank) => rank === Math.max(...ranks))).toHaveLength(1)
        }
      }),
    )
  })

  test('is marked anew when the same version is put in force again', () => {
    const once = secretOf('a', {}, inForce({ versions: [{ version: 1, at: '', by: '', state: 'stored' }] }, 1, 'ada', '2026-01-01T00:00:00.000Z'))
    const again = { ...once, status: inForce(once.status!, 1, 'ada', '2026-01-02T00:00:00.000Z') }
    expect([givenIn([again], place).refs, givenIn([again], place).mark === givenIn([once], place).mark]).toEqual([givenIn([once], place).refs, false])
  })
})

describe('versions', () => {
  test('rise by one, one is current at most, and of many the oldest go, never the one in force', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 80 }), (steps) => {
        let status: SecretStatus = {}
        for (const use of steps) {
          const { versions, version, dropped } = withNewVersion(status, 'ada', '2026-01-01T00:00:00Z')
          expect(dropped).not.toContain(status.version)
          status = { ...status, versions }
          if (use) status = inForce(status, version.version, 'ada', '2026-01-01T00:00:00Z')
        }
        const { versions = [] } = status
        expect(versions.length).toBeLessThanOrEqual(keptVersions + 1)
        expect(versions.filter(({ state }) => state === 'current').map(({ version }) => version)).toEqual(status.version === undefined ? [] : [status.version])
        expect(versions.at(-1)?.version ?? 0).toBe(steps.length)
      }),
      { numRuns: 30 },
    )
  })
})

describe('a rotation', () => {
  const startedAt = '2026-01-01T00:00:10.000Z'
  const rotation: Rotation = { version: 2, from: 1, phase: 'RollingOut', by: 'ada', startedAt, message: '', targets: [] }
  const running = (serving: number | undefined, newest: Partial<Running['newest']>): Running => ({
    app: 'shop',
    environment: 'production',
    serving,
    refused: undefined,
    newest: { name: 'd', version: 1, endedAt: '2026-01-01T00:00:00.000Z', rollback: false, createdAt: '2026-01-01T00:00:00Z', phase: 'Succeeded', message: 'because', ...newest },
  })

  test.each<[string, Running, string, string]>([
    ['waits for its deployment', running(1, {}), 'pending', 'goesOn'],
    ['waits for a rule to let it', { ...running(1, {}), refused: 'It has a critical finding.' }, 'refused', 'goesOn'],
    ['waits for another that is under way', running(1, { endedAt: undefined, phase: 'Shifting' }), 'pending', 'goesOn'],
    ['is under way', running(1, { version: 2, endedAt: undefined, phase: 'Shifting' }), 'underway', 'goesOn'],
    ['is watched', running(2, { version: 2, endedAt: undefined, phase: 'Watching' }), 'watched', 'goesOn'],
    ['is done before the app says so', running(1, { version: 2, endedAt: '2026-01-01T00:00:20.000Z' }), 'done', 'succeeded'],
    ['has failed', running(1, { version: 2, endedAt: '2026-01-01T00:00:20.000Z', phase: 'RolledBack' }), 'failed', 'failed'],
    ['is not judged by an earlier try of the same version', running(1, { version: 2, endedAt: '2026-01-01T00:00:09.999Z', phase: 'Failed' }), 'pending', 'goesOn'],
    ['was aborted by somebody', running(1, { version: 2, endedAt: '2026-01-01T00:00:20.000Z', phase: 'Canceled' }), 'failed', 'failed'],
    ['was overtaken by a rollback of the app', running(1, { rollback: true, createdAt: '2026-01-01T00:00:11Z' }), 'left', 'succeeded'],
    ['serves, whatever failed after it', running(2, { version: 2, endedAt: '2026-01-01T00:00:20.000Z', phase: 'Failed' }), 'done', 'succeeded'],
  ])('%s', (_words, one, state, type) => {
    const step = planRotation(rotation, [one])
    expect([step.targets[0]!.state, step.type]).toEqual([state, type])
  })

  test('that fails puts the version before in force, if it still can be', () => {
    const begun = (from: 'current' | 'revoked' | 'none'): SecretStatus => {
      const versions = from === 'none' ? [] : [{ version: 1, at: '', by: '', state: 'current' as const }]
      const status = inForce({ ...(from === 'none' ? {} : { version: 1 }), versions: [...versions, { version: 2, at: '', by: '', state: 'stored' }] }, 2, 'ada', startedAt)
      return from === 'revoked' ? { ...status, versions: status.versions!.map((one) => (one.version === 1 ? { ...one, state: 'revoked' } : one)) } : status
    }
    const failed = planRotation(rotation, [running(1, { version: 2, endedAt: '2026-01-01T00:00:20.000Z', phase: 'Failed' })])
    const outcome = (from: 'current' | 'revoked' | 'none') => {
      const { version, rotation: ended, versions } = afterFailure(begun(from), failed, '2026-01-01T00:00:21.000Z')
      return [version, ended!.phase, versions!.map(({ state }) => state).join(' ')]
    }
    expect([outcome('current'), outcome('revoked'), outcome('none')]).toEqual([[1, 'Reverted', 'current rejected'], [2, 'Failed', 'revoked current'], [undefined, 'Reverted', 'rejected']])
  })
})

describe('what is due', () => {
  const day = 24 * 3600_000
  const now = new Date('2026-06-01T00:00:00.000Z')
  const at = (days: number): string => new Date(now.getTime() + days * day).toISOString()
  const due = (spec: Partial<SecretSpec>, age = 1) => dueOf(secretOf('a', spec, { version: 1, versions: [{ version: 1, at: at(-age), by: '', state: 'current' }] }), now)

  test.each<[Partial<SecretSpec>, number, string, number | undefined]>([
    [{}, 1, 'Fresh', undefined],
    [{ expiresAt: at(20) }, 1, 'Fresh', 6],
    [{ expiresAt: at(10) }, 1, 'ExpiresWithin14Days', 7],
    [{ expiresAt: at(2) }, 1, 'ExpiresWithin3Days', 2],
    [{ expiresAt: at(-1) }, 1, 'Expired', undefined],
    [{ rotateEveryDays: 30 }, 10, 'Fresh', 20],
    [{ rotateEveryDays: 30 }, 31, 'RotationDue', undefined],
  ])('%j at an age of %i days is %s', (spec, age, reason, nextDays) => {
    const { condition, nextAt } = due(spec, age)
    expect([condition.reason, nextAt === undefined ? undefined : (nextAt - now.getTime()) / day]).toEqual([reason, nextDays])
  })
})
