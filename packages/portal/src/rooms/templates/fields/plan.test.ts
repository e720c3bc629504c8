import { expect, test } from 'vitest'
import type { CatalogRow } from '@pavior/contract'
import { answerFor, catalogFilterOf, nameProblem, readRepoUrl, repoUrlProblem, tagProblem, writeRepoUrl } from './plan.ts'

const row = (more: Partial<CatalogRow>): CatalogRow => ({ ref: 'component:default/shop', kind: 'Component', namespace: 'default', name: 'shop', title: null, description: null, type: 'service', lifecycle: 'production', owner: 'group:default/blue', tags: [], origins: ['derived'], drift: 0, ...more })

test('the filters of the catalogue are asked where it can be asked, and looked over where not', () => {
  const { filters, fits } = catalogFilterOf({ 'ui:options': { catalogFilter: [{ kind: ['Component', 'API'], 'spec.type': 'service' }, { kind: 'Resource', 'metadata.tags': { exists: true } }] } })
  expect(filters).toEqual([{ kind: 'component', type: 'service' }, { kind: 'api', type: 'service' }, { kind: 'resource' }])
  expect(fits(row({}))).toBe(true)
  expect(fits(row({ type: 'website' }))).toBe(false)
  expect(fits(row({ kind: 'Resource', tags: ['sql'] }))).toBe(true)
  expect(fits(row({ kind: 'Resource', type: null }))).toBe(false)
  expect(catalogFilterOf({}, ['group', 'user']).filters).toEqual([{ kind: 'group' }, { kind: 'user' }])
  expect(catalogFilterOf({ 'ui:options': { allowedKinds: ['Group'] } }, ['group', 'user'], ['group:default/blue']).filters).toEqual([{ kind: 'group', owner: 'group:default/blue' }])
})

test('an answer is the whole reference, or the name where the question takes no more', () => {
  expect(answerFor({}, 'group:default/blue')).toBe('group:default/blue')
  expect(answerFor({ pattern: '^[a-z-]+$' }, 'group:default/blue')).toBe('blue')
  expect(answerFor({ pattern: '[' }, 'group:default/blue')).toBe('group:default/blue')
})

test('names and tags are told apart from others', () => {
  expect([nameProblem(''), nameProblem('a.b_C-1'), nameProblem('-a') === undefined, nameProblem('a'.repeat(64)) === undefined]).toEqual([undefined, undefined, false, false])
  expect([tagProblem('c++'), tagProblem('big-data'), tagProblem('Big data') === undefined, tagProblem('a--b') === undefined]).toEqual([undefined, undefined, false, false])
})

test('addresses of repositories are read and written as Backstage has them', () => {
  const url = { host: 'github.com', owner: 'blue', repo: 'shop' }
  expect(writeRepoUrl(url)).toBe('github.com?owner=blue&repo=shop')
  expect(readRepoUrl('github.com?owner=blue&repo=shop')).toEqual(url)
  expect(writeRepoUrl({ host: 'dev.azure.com', organization: 'o', project: 'p', repo: 'r', owner: 'x' })).toBe('dev.azure.com?organization=o&project=p&repo=r')
  expect(writeRepoUrl({ host: 'bitbucket.org', workspace: 'w', project: 'p', repo: 'r' })).toBe('bitbucket.org?workspace=w&project=p&repo=r')
  expect(writeRepoUrl({})).toBeUndefined()
  expect(repoUrlProblem({ host: 'github.com', owner: 'blue' })).toBe('Still missing: repo.')
  expect(repoUrlProblem(url)).toBeUndefined()
})
