import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { changedPaths, parseFiles } from './parse.ts'
import { withPins } from './pins.ts'
import { inOrder, toPrune, withCommit } from './plan.ts'

const file = (path: string, text: string | Buffer) => ({ path, content: Buffer.from(text) })

test('every document of every file is read, with the place of its fields', () => {
  const { declared, errors } = parseFiles([file('a.yaml', '# first\nkind: Environment\nmetadata:\n  name: one\nspec:\n  tier: staging\n---\n---\nkind: App\nmetadata: { name: two, labels: { a: b } }\n')])
  expect(errors).toEqual([])
  expect(declared.map(({ kind, name, labels }) => [kind, name, labels])).toEqual([['Environment', 'one', {}], ['App', 'two', { a: 'b' }]])
  expect(declared[0]!.placeOf('spec.tier')).toBe('a.yaml:6')
  expect(declared[0]!.placeOf('spec.missing')).toBe('a.yaml:5')
  expect(declared[1]!.placeOf('metadata.name')).toBe('a.yaml:10')
})

test.each([
  ['kind: X\n', /no metadata.name/],
  ['[1, 2]\n', /map of fields/],
  ['kind: X\nmetadata: { name: a }\nsecret: 1\n', /no field "secret"/],
  ['kind: X\nmetadata: { name: a, finalizers: [b] }\n', /metadata.finalizers cannot be declared/],
  ['kind: X\nkind: Y\n', /not valid YAML/],
  ['apiVersion: v1\nkind: X\nmetadata: { name: a }\n', /apiVersion is "v1"/],
])('%j is refused with its place', (text, message) => {
  const { declared, errors } = parseFiles([file('a.yaml', text)])
  expect(declared).toEqual([])
  expect(errors[0]!.message).toMatch(message)
  expect(errors[0]!.file).toMatch(/^a\.yaml:\d+$/)
})

test('whatever the files hold, reading them ends with resources or places of errors', () => {
  fc.assert(fc.property(fc.array(fc.oneof(fc.string(), fc.uint8Array().map((bytes) => Buffer.from(bytes)))), (contents) => {
    const { declared, errors } = parseFiles(contents.map((content, index) => file(`${index}.yaml`, content as string)))
    expect(declared.every(({ kind, name }) => typeof kind === 'string' && typeof name === 'string')).toBe(true)
    expect(errors.every(({ file: place }) => /^\d+\.yaml/.test(place))).toBe(true)
  }))
})

test('what others stand on comes first, and goes last', () => {
  const items = ['App', 'Freeze', 'Environment', 'Anything'].map((kind) => ({ kind, name: 'x', file: '' }))
  expect(inOrder(items).map(({ kind }) => kind)).toEqual(['Environment', 'Freeze', 'App', 'Anything'])
  expect(toPrune(items, [{ kind: 'Freeze', name: 'x' }]).map(({ kind }) => kind)).toEqual(['Anything', 'App', 'Environment'])
})

test('fields that differ are named, and equal values have none', () => {
  expect(changedPaths({ a: { b: 1, c: [1] }, d: 2 }, { a: { b: 2, c: [1] } })).toEqual(['a.b', 'd'])
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
    expect(changedPaths(one, structuredClone(one))).toEqual([])
    expect(changedPaths(one, other).length > 0).toBe(JSON.stringify(one) !== JSON.stringify(other) && changedPaths(other, one).length > 0)
  }))
})

test('the newest verdict on a commit stands, and only the last twenty commits', () => {
  const all = Array.from({ length: 30 }, (_, index) => ({ commit: `c${index % 25}`, at: index })).reduce<{ commit: string; at: number }[]>((commits, entry) => withCommit(commits, entry), [])
  expect(all).toHaveLength(20)
  expect(all[0]).toEqual({ commit: 'c4', at: 29 })
  expect(new Set(all.map(({ commit }) => commit)).size).toBe(20)
})

test('a pin is written into the file of its app, and everything else stays as people wrote it', () => {
  const text = '# ours\nkind: Environment\nmetadata: { name: qa }\n---\n# the shop\nkind: App\nmetadata:\n  name: shop # named so\nspec:\n  config: {}\n'
  const pin = { production: { release: 3, artifact: `sha256:${'a'.repeat(64)}`, out: { release: 4, artifact: `sha256:${'b'.repeat(64)}` }, reason: 'Rolled back.' } }
  const pinned = withPins(text, 'shop', pin)
  expect(pinned).toContain('# the shop')
  expect(pinned).toContain('name: shop # named so')
  expect(parse(pinned.split('---\n')[1]!).spec.pinned).toEqual(pin)
  expect(withPins(pinned, 'shop', undefined)).toBe(text)
  expect(withPins(text, 'other', pin)).toBe(text)
})
