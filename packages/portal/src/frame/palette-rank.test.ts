import { expect, test } from 'vitest'
import { rank } from './palette-rank.ts'

const entries = [
  { id: 'page /apps', label: 'Apps', group: 'Go to' },
  { id: 'do dark', label: 'Dark appearance', keywords: 'theme', group: 'Do' },
  { id: 'do deploy', label: 'Deploy', cli: 'pavior deploy', group: 'Do' },
  { id: 'apps default/shop', label: 'shop', note: 'App in default', group: 'Found' },
  { id: 'deployments default/shop-1', label: 'shop-production-1', note: 'Deployment in default', group: 'Found' },
]
const ids = (query: string, recent: string[] = []): string[] => rank(query, entries, recent).map(({ id }) => id)

test('with nothing typed: what was used lately, then pages and commands, no resources', () => {
  expect(ids('', ['apps default/shop', 'do dark'])).toEqual(['apps default/shop', 'do dark', 'page /apps', 'do deploy'])
})

test('names come before what stands beside them', () => {
  expect(ids('shop')[0]).toBe('apps default/shop')
  expect(ids('theme')).toEqual(['do dark'])
  expect(ids('pavior deploy')).toEqual(['do deploy'])
  expect(ids('deployment default')).toEqual(['deployments default/shop-1'])
})

test('of two that fit alike the one used lately comes first', () => {
  expect(ids('shop-pro', ['deployments default/shop-1'])[0]).toBe('deployments default/shop-1')
  expect(ids('nothing of the kind')).toEqual([])
})
