import type { AppSpec } from '@pavior/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { whatChanged } from './what-changed.ts'

const told = (before: AppSpec, after: AppSpec): unknown => whatChanged('shop', 'web', before, after)

test('scale, configuration, restart and the rest are told in words, with what takes one change back', () => {
  expect(told({ scale: { production: { web: 1 } } }, { scale: { production: { web: 3 } } })).toEqual({ text: 'scaled web of shop from 1 to 3 in production', deploys: false, undo: 'pavior scale web=1 --app shop --environment production --team web' })
  expect(told({}, { scale: { production: { web: 3 } } })).toEqual({ text: 'scaled web of shop to 3 in production', deploys: false })
  expect(told({ config: { production: { A: '1' } } }, { config: { production: { A: '2', B: 'x' }, staging: { C: 'y' } } })).toEqual({ text: 'set A, B of shop in production, and set C of shop in staging', deploys: true })
  expect(told({}, { restart: { production: 'now' } })).toEqual({ text: 'restarted shop in production', deploys: false })
  expect(told({ description: 'a' }, { description: 'b', scale: { production: { web: 2 } } })).toEqual({ text: 'scaled web of shop to 2 in production, and changed description of shop', deploys: true })
})

test('nothing changed is nothing told, and no value of a variable is ever told', () => {
  const config = fc.dictionary(fc.constantFrom('production', 'staging'), fc.dictionary(fc.constantFrom('A', 'B', 'C'), fc.constantFrom('hush-1', 'hush-2')))
  fc.assert(fc.property(config, config, (was, is) => {
    expect(told({ config: was }, { config: was })).toBeUndefined()
    expect(JSON.stringify(told({ config: was }, { config: is }) ?? '')).not.toContain('hush')
  }))
})
