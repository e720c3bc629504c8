import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { causesOf, type Suspect } from './cause.ts'
import { sampleOf } from './conditions.ts'
import { createLinks, readLink, signLink } from './links.ts'
import { mostGroups, otherGroups, planMembers, type Member, type MemberSettings, type Sample } from './plan.ts'
import { keptQuiet, quietingOf, type Silence } from './silences.ts'
import { summaryOf, type Source } from './sources.ts'

const settings: MemberSettings = { forMs: 60, keepMs: () => 30, groupBy: [] }
const sample = (name: string, holds = true): Sample => ({ labels: { name }, holds })

describe('members', () => {
  test('begin, fire, let go and end by their times', () => {
    let members: Member[] = []
    const told: string[] = []
    const step = (now: number, samples: Sample[]): void => {
      members = planMembers(members, samples, settings, now).members
      told.push(`${now} ${members.map(({ state, falseSince }) => (falseSince === undefined ? state : 'Leaving')).join() || '-'}`)
    }
    step(0, [sample('a')])
    step(59, [sample('a')])
    step(60, [sample('a')])
    step(70, [sample('a', false)])
    step(80, [])
    step(100, [sample('a', false)])
    step(110, [])
    step(139, [])
    step(140, [])
    step(150, [sample('a', false)])
    expect(told).toEqual(['0 Pending', '59 Pending', '60 Firing', '70 Firing', '80 Leaving', '100 Firing', '110 Leaving', '139 Leaving', '140 -', '150 -'])
  })

  test('hysteresis holds on to what fires; what is no number says nothing', () => {
    const above = { query: 'x', above: 10, clearBelow: 8 }
    expect([11, 10, 8, 7.9, NaN, Infinity].map((value) => sampleOf({ labels: {}, value }, above).map(({ holds }) => holds))).toEqual([[true], [false], [false], [], [], [true]])
    expect([1, 3, NaN].map((value) => sampleOf({ labels: {}, value }, { query: 'x', below: 2 }).length)).toEqual([1, 0, 0])
  })

  test('groups beyond those that are kept apart go together', () => {
    const samples = Array.from({ length: 50 }, (_, index) => ({ labels: { host: `h${index}` }, holds: true }))
    const { members } = planMembers([], samples, { ...settings, groupBy: ['host'] }, 0)
    expect(new Set(members.map(({ group }) => group)).size).toBe(mostGroups + 1)
    expect(members.filter(({ group }) => group === otherGroups)).toHaveLength(30)
  })

  test('whatever comes, what is planned twice is planned once, and nobody fires before their time', () => {
    const step = fc.record({ pass: fc.integer({ min: -50, max: 100 }), names: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')), holds: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let [members, now] = [[] as Member[], 1000]
        for (const { pass, names, holds } of steps) {
          now += pass
          const samples = names.map((name) => sample(name, holds))
          const plan = planMembers(members, samples, settings, now)
          const again = planMembers(plan.members, samples, settings, now)
          expect(again).toMatchObject({ written: [], ended: [] })
          for (const member of plan.members) {
            expect(member.since).toBeLessThanOrEqual(now)
            if (member.state === 'Pending') expect(holds && names.some((name) => name === member.labels.name)).toBe(true)
          }
          const changed = new Set(plan.written.map(({ fingerprint }) => fingerprint))
          for (const member of plan.members) if (!changed.has(member.fingerprint)) expect(members).toContainEqual(member)
          members = plan.members
        }
      }),
    )
  })
})

describe('causes', () => {
  const app = (name: string, since = 0, page = true): Suspect => ({ id: name, app: `t/${name}`, page, since })
  const calls = (of: Record<string, string[]>): Map<string, string[]> => new Map(Object.entries(of).map(([from, to]) => [`t/${from}`, to.map((name) => `t/${name}`)]))

  test('a database that is down is the cause of forty apps that call it, by whatever way', () => {
    const apps = Array.from({ length: 40 }, (_, index) => app(`app${index}`, index))
    const ways = Object.fromEntries(apps.map(({ id }, index) => [id, [index % 2 ? 'db' : `app${index + 1}`]]))
    const causes = causesOf([...apps, app('db', 30)], calls(ways))
    expect(causes.size).toBe(40)
    expect(new Set(causes.values())).toEqual(new Set(['db']))
  })

  test('in a circle the oldest is the cause; a ticket is none; what is long ago is none', () => {
    const circle = calls({ a: ['b'], b: ['c'], c: ['a'] })
    expect(causesOf([app('a', 5), app('b', 1), app('c', 9)], circle)).toEqual(new Map([['a', 'b'], ['c', 'b']]))
    expect(causesOf([app('a'), app('b', 0, false)], calls({ a: ['b'] }))).toEqual(new Map())
    expect(causesOf([app('a', 4 * 3600_000), app('b', 0)], calls({ a: ['b'] }))).toEqual(new Map())
  })

  test('somebody is always told: what has a cause has one that has none', () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const way = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names))
    fc.assert(
      fc.property(fc.array(way, { maxLength: 12 }), fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 }), fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 5, maxLength: 5 }), (ways, broken, times) => {
        const graph: Record<string, string[]> = {}
        for (const [from, to] of ways) graph[from] = [...(graph[from] ?? []), to]
        const causes = causesOf(broken.map((name) => app(name, times[names.indexOf(name)])), calls(graph))
        expect(causes.size).toBeLessThan(broken.length)
        for (const cause of causes.values()) expect(causes.has(cause)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})

describe('silences', () => {
  const silence = (matchers: Silence['spec']['matchers'], more: Partial<Silence['spec']> = {}): Silence => ({ metadata: { name: 'quiet' }, spec: { reason: 'why', matchers, until: '2026-03-02T13:00:00Z', ...more } }) as Silence
  const now = new Date('2026-03-02T12:00:00Z')
  const fits = (matchers: Silence['spec']['matchers'], labels: Record<string, string>): boolean => keptQuiet(quietingOf([silence(matchers)], now), [labels]) !== undefined

  test('match as in Alertmanager: whole values, absent labels are empty', () => {
    expect(fits([{ label: 'app', op: '=', value: 'shop' }], { app: 'shop' })).toBe(true)
    expect(fits([{ label: 'app', op: '=~', value: 'sh' }], { app: 'shop' })).toBe(false)
    expect(fits([{ label: 'app', op: '=~', value: 'sh.*' }, { label: 'host', op: '!=', value: 'b' }], { app: 'shop' })).toBe(true)
    expect(fits([{ label: 'app', op: '!~', value: 's.*|t.*' }], { app: 'shop' })).toBe(false)
    expect(fits([{ label: 'gone', op: '=', value: '' }], { app: 'shop' })).toBe(true)
  })

  test('all members have to be matched, and a pattern costs no more than the text is long', () => {
    const quieting = quietingOf([silence([{ label: 'app', op: '=', value: 'shop' }])], now)
    expect(keptQuiet(quieting, [{ app: 'shop' }, { app: 'till' }])).toBeUndefined()
    const began = performance.now()
    expect(fits([{ label: 'app', op: '=~', value: '(a+)+b' }], { app: 'a'.repeat(5000) })).toBe(false)
    expect(performance.now() - began).toBeLessThan(2000)
  })

  test('hold in their time only, once or every week', () => {
    const weekly = { days: ['mon' as const], from: '12:30', to: '13:30', timeZone: 'Europe/Berlin' }
    const holds = (more: Partial<Silence['spec']>): boolean => quietingOf([silence([{ label: 'app', op: '=', value: 'shop' }], more)], now).length === 1
    expect([holds({}), holds({ until: '2026-03-02T11:59:59Z' }), holds({ from: '2026-03-02T12:00:01Z' }), holds({ until: undefined, weekly }), holds({ until: undefined, weekly: { ...weekly, days: ['tue'] } })]).toEqual([true, false, false, true, false])
  })
})

test('a summary is one line, whatever stands in a label', () => {
  const source = { name: 'load', rule: { spec: { summary: 'Host {{labels.host}} at {{ value }}: {{labels.gone}}', condition: {} } } } as unknown as Source
  expect(summaryOf(source, { labels: { host: 'a\r\nBcc: all@example.com' }, value: 0.123456 } as never)).toBe('Host a Bcc: all@example.com at 0.1235:')
  expect(summaryOf(source, { labels: { host: 'x'.repeat(1000) } } as never)).toHaveLength(300)
})

describe('links', () => {
  const key = Buffer.alloc(32, 1)
  const claim = { team: 'blue', name: 'load-1', alert: 'uid', action: 'ack' as const, by: 'user:ada', until: 2000 }

  test('are read as they were made, until their end, with their key', () => {
    const token = signLink(claim, key)
    expect(readLink(token, key, new Date(1_999_999))).toEqual(claim)
    expect(() => readLink(token, key, new Date(2_000_000))).toThrow('was good until')
    expect(() => readLink(token, Buffer.alloc(32, 2), new Date(0))).toThrow('not one that Pavior made')
  })

  test('nobody makes one out of another', () => {
    const token = signLink(claim, key)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: token.length - 1 }), fc.constantFrom(...'ABCxyz019-_.='), (place, letter) => {
        const other = token.slice(0, place) + letter + token.slice(place + 1)
        // The last letters of base64 may hold bits that mean nothing.
        if (Buffer.from(other.split('.')[1] ?? '', 'base64url').equals(Buffer.from(token.split('.')[1]!, 'base64url')) && other.split('.')[0] === token.split('.')[0]) return
        expect(() => readLink(other, key, new Date(0))).toThrow('not one that Pavior made')
      }),
    )
    expect(() => readLink('', key, new Date(0))).toThrow()
    expect(() => readLink('x'.repeat(10_000), key, new Date(0))).toThrow()
  })

  test('of a test or an end there is nothing to acknowledge', () => {
    const links = createLinks(() => 'https://p', key)
    const of = { team: 'blue', name: 'load-1', alert: 'uid', recipient: 'channel:ops' }
    expect(links({ ...of, kind: 'Resolved' }, new Date(0))).toEqual({ alert: 'https://p/alerts/blue/load-1' })
    expect(Object.keys(links({ ...of, kind: 'Fired' }, new Date(0)))).toEqual(['alert', 'acknowledge', 'resolve'])
  })
})
