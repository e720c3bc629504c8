import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeThree } from './three-way.ts'

test('changes of two people to different fields are both kept', () => {
  const base = { description: 'old', replicas: 1, env: { A: '1', B: '2' } }
  expect(mergeThree(base, { description: 'new', replicas: 1, env: { A: '1' } }, { description: 'old', replicas: 3, env: { A: '1', B: '2', C: '3' } })).toEqual({
    value: { description: 'new', replicas: 3, env: { A: '1', C: '3' } },
    conflicts: [],
  })
})

test('where both changed the same, mine is kept and the path is named', () => {
  expect(mergeThree({ env: { A: '1' } }, { env: { A: '2' } }, { env: { A: '3' } })).toEqual({ value: { env: { A: '2' } }, conflicts: ['env.A'] })
  expect(mergeThree({ list: [1] }, { list: [1, 2] }, { list: [0, 1] })).toEqual({ value: { list: [1, 2] }, conflicts: ['list'] })
})

test('whoever changed nothing takes the other side whole', () => {
  const values = fc.dictionary(fc.string({ maxLength: 3 }), fc.oneof(fc.integer(), fc.string(), fc.dictionary(fc.string({ maxLength: 2 }), fc.integer())), { noNullPrototype: true })
  fc.assert(
    fc.property(values, values, (base, other) => {
      expect(mergeThree(base, base, other)).toEqual({ value: other, conflicts: [] })
      expect(mergeThree(base, other, base)).toEqual({ value: other, conflicts: [] })
      expect(mergeThree(base, other, other).conflicts).toEqual([])
    }),
  )
})
