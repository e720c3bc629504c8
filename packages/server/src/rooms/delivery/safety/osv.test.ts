import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { component } from './inventory.ts'
import { cvssScore } from './cvss.ts'
import { findingsOf, hitOf, type Advisory } from './osv.ts'

const range = (...events: object[]) => ({ ranges: [{ type: 'SEMVER', events }] })

describe('whether an advisory concerns a version', () => {
  test.each([
    ['npm', '1.2.3', range({ introduced: '0' }, { fixed: '1.2.4' }), true, '1.2.4'],
    ['npm', '1.2.4', range({ introduced: '0' }, { fixed: '1.2.4' }), false, undefined],
    ['npm', '1.2.4-rc.1', range({ introduced: '0' }, { fixed: '1.2.4' }), true, '1.2.4'],
    ['npm', '2.1.0', range({ introduced: '0' }, { fixed: '1.2.4' }, { introduced: '2.0.0' }, { fixed: '2.1.3' }), true, '2.1.3'],
    ['npm', '1.9.0', range({ introduced: '2.0.0' }, { fixed: '2.1.3' }, { introduced: '0' }, { fixed: '1.2.4' }), false, undefined],
    ['npm', '3.0.0', range({ introduced: '1.0.0' }, { last_affected: '3.0.0' }), true, undefined],
    ['npm', '3.0.1', range({ introduced: '1.0.0' }, { last_affected: '3.0.0' }), false, undefined],
    ['Go', 'v0.20.0', range({ introduced: '0' }, { fixed: '0.23.0' }), true, '0.23.0'],
    ['PyPI', '2.0rc1', { ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.0' }] }] }, true, '2.0'],
    ['PyPI', '2.0.post1', { ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.0' }] }] }, false, undefined],
    ['Maven', '2.14.1', { ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '2.0' }, { fixed: '2.15.0' }] }] }, true, '2.15.0'],
    ['RubyGems', '2.2.8', { versions: ['2.2.8'] }, true, undefined],
    ['RubyGems', '2.2.9', { versions: ['2.2.8'] }, false, undefined],
    ['npm', '1.0.0', { ranges: [{ type: 'GIT', events: [{ introduced: '0' }] }] }, false, undefined],
  ])('%s %s', (ecosystem, version, affected, wanted, fixed) => {
    const hit = hitOf(version, ecosystem, affected)
    expect(hit.affected).toBe(wanted)
    expect(hit.certain).toBe(true)
    expect(hit.fixed).toBe(fixed)
  })

  test('is not certain where versions cannot be compared, and never said to be clean then', () => {
    expect(hitOf('1.36.1-r15', 'Alpine', { ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '1.36.1-r17' }] }] })).toMatchObject({ affected: true, certain: false })
    expect(hitOf('2.0.0.RELEASE', 'Maven', { ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.0.1.RELEASE' }] }] })).toMatchObject({ affected: true, certain: false })
  })

  test('agrees with what a range means, whatever the order of its events', () => {
    const version = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join('.'))
    const value = (text: string): number => text.split('.').reduce((sum, part) => sum * 10 + Number(part), 0)
    fc.assert(
      fc.property(version, fc.uniqueArray(version, { minLength: 2, maxLength: 8 }), fc.boolean(), (asked, bounds, reversed) => {
        const sorted = bounds.toSorted((one, other) => value(one) - value(other))
        const events = sorted.map((bound, index) => (index % 2 === 0 ? { introduced: bound } : { fixed: bound }))
        const inside = sorted.filter((bound) => value(bound) <= value(asked)).length % 2 === 1
        expect(hitOf(asked, 'npm', range(...(reversed ? events.toReversed() : events))).affected).toBe(inside)
      }),
    )
  })
})

describe('findings', () => {
  const ghsa: Advisory = { id: 'GHSA-1', aliases: ['CVE-1'], modified: '2026-01-01T00:00:00Z', summary: 'Bad', database_specific: { severity: 'CRITICAL' }, affected: [{ package: { ecosystem: 'PyPI', name: 'lib' }, ...range({ introduced: '0' }, { fixed: '2.0.0' }) }] }
  const pysec: Advisory = { id: 'PYSEC-1', aliases: ['CVE-1', 'GHSA-1'], modified: '2026-01-01T00:00:00Z', affected: [{ package: { ecosystem: 'PyPI', name: 'lib' }, versions: ['1.0.0'] }] }
  const other: Advisory = { id: 'X-2', modified: '2026-01-01T00:00:00Z', severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N' }], affected: [{ package: { ecosystem: 'PyPI', name: 'lib' }, versions: ['1.0.0'] }] }

  test('tell one hole once, the worst first, and leave out what was withdrawn', () => {
    const parts = [component('PyPI', 'lib', '1.0.0'), component('PyPI', 'other', '1.0.0')]
    expect(findingsOf(parts, [pysec, other, ghsa])).toMatchObject([{ id: 'GHSA-1', severity: 'critical', fixed: '2.0.0', aliases: expect.arrayContaining(['CVE-1', 'PYSEC-1']) }, { id: 'X-2', severity: 'medium' }])
    expect(findingsOf(parts, [{ ...ghsa, withdrawn: '2026-02-01T00:00:00Z' }])).toEqual([])
  })

  test.each([
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 10],
    ['CVSS:3.0/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N', 2.2],
    ['CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N', 6.1],
    ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', undefined],
    ['nonsense', undefined],
  ])('%s is %s', (vector, score) => expect(cvssScore(vector)).toBe(score))
})
