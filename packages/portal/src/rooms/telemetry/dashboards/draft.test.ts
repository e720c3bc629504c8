import type { DashboardSpec, Panel } from '@pavior/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fitting, freeTitle, merged, moved, resized, restored, shifted, without } from './draft.ts'

const panel = (title: string, more: Partial<Panel> = {}): Panel => ({ title, kind: 'line', queries: [{ query: 'up' }], ...more })
const spec = (...titles: string[]): DashboardSpec => ({ title: 'Mine', panels: titles.map((title) => panel(title)) })
const titles = ({ panels }: DashboardSpec): string => panels.map(({ title }) => title).join('')

test('panels move, and none is lost whatever is asked', () => {
  expect(titles(shifted(spec('a', 'b', 'c'), 'a', 1))).toBe('bac')
  expect(titles(shifted(spec('a', 'b', 'c'), 'a', -1))).toBe('abc')
  expect(titles(moved(spec('a', 'b', 'c'), 'c', 0))).toBe('cab')
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ minLength: 1 })), fc.string(), fc.integer(), (all, title, place) => {
      expect(moved(spec(...all), title, place).panels.map((one) => one.title).toSorted()).toEqual(all.toSorted())
    }),
  )
})

test('sizes stay within what can be saved', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (width, height) => {
      const [one] = resized(spec('a'), 'a', { width, height }).panels
      expect(one!.width).toBeGreaterThanOrEqual(1)
      expect(one!.width).toBeLessThanOrEqual(12)
      expect(one!.height).toBeGreaterThanOrEqual(2)
      expect(one!.height).toBeLessThanOrEqual(20)
    }),
  )
})

test('a panel of another kind keeps only what that kind has', () => {
  expect(fitting({ title: 'a', kind: 'text', queries: [{ query: 'up' }], list: 'slos' })).toEqual({ title: 'a', kind: 'text', text: '' })
  expect(fitting({ title: 'a', kind: 'line', figure: 'incidents' })).toEqual({ title: 'a', kind: 'line', queries: [{ query: '' }] })
  expect(fitting({ title: 'a', kind: 'stat', figure: 'incidents', queries: [{ query: 'up' }] })).toEqual({ title: 'a', kind: 'stat', figure: 'incidents' })
})

test('what two people changed comes together panel by panel', () => {
  const base = spec('a', 'b', 'c')
  const mine = { ...base, panels: [panel('b'), panel('a', { width: 3 }), panel('c'), panel('mine')] }
  const theirs = { ...base, title: 'Theirs', panels: [panel('a', { width: 9 }), panel('b', { unit: 'bytes' as const }), panel('theirs')] }
  const { spec: both, conflicts } = merged(base, mine, theirs)
  expect(both.title).toBe('Theirs')
  expect(titles(both)).toBe('baminetheirs')
  expect(both.panels[0]).toMatchObject({ unit: 'bytes' })
  expect(both.panels[1]).toMatchObject({ width: 3 })
  expect(conflicts).toEqual(['a.width'])
  expect(titles(without(base, 'b'))).toBe('ac')
  expect(freeTitle(base, 'a')).toBe('a (2)')
  expect(titles(restored(spec('a', 'c'), panel('b'), 1))).toBe('abc')
})
