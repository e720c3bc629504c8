import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { linksOf, genesis, problemsIn, type ChainedRow, type Link } from './chain.ts'

const text = fc.string({ maxLength: 12 })
const optional = fc.option(text)
const rows = fc
  .array(fc.record({ micros: fc.nat().map(String), actor: text, token: optional, verb: text, kind: text, namespace: text, name: text, uid: optional, request_id: optional, address: optional, reason: optional, previous: fc.option(fc.nat().map(String)), digest: fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes))) }), { minLength: 3, maxLength: 30 })
  .map((list) => list.map((row, index) => ({ ...row, id: String(index * 2 + 1), rv: String(index * 3 + 5) })))

const byId = (list: readonly ChainedRow[]): Map<string, ChainedRow> => new Map(list.map((row) => [row.id, row]))
const pick = (list: readonly unknown[], seed: number): number => seed % list.length

describe('a chain over rows', () => {
  test('fits what it was made of, whole and in pages of any size', () => {
    fc.assert(
      fc.property(rows, fc.nat(), (list, seed) => {
        const links = linksOf(genesis, list)
        expect(problemsIn(undefined, links, byId(list))).toEqual([])
        const cut = 1 + pick(list.slice(1), seed)
        expect(problemsIn(links[cut - 1], links.slice(cut), byId(list.slice(cut)))).toEqual([])
      }),
    )
  })

  test('tells the one row of which any field was changed', () => {
    fc.assert(
      fc.property(rows, fc.nat(), fc.constantFrom('actor', 'verb', 'name', 'micros', 'reason', 'token', 'address', 'rv', 'previous'), (list, seed, field) => {
        const links = linksOf(genesis, list)
        const index = pick(list, seed)
        const forged = list.with(index, { ...list[index]!, [field]: `${list[index]![field as 'actor'] ?? ''}1` })
        const problems = problemsIn(undefined, links, byId(forged))
        expect(problems.map(({ type }) => type)).toEqual(['changed'])
      }),
    )
  })

  test('tells the one row that was removed, or put in', () => {
    fc.assert(
      fc.property(rows, fc.nat(), (list, seed) => {
        const links = linksOf(genesis, list)
        // The oldest may have been forgotten in its time.
        const index = 1 + pick(list.slice(1), seed)
        expect(problemsIn(undefined, links, byId(list.toSpliced(index, 1)))).toMatchObject([{ type: 'missing', resourceVersion: list[index]!.rv }])
        const extra = { ...list[index]!, id: '2', rv: '6' }
        expect(problemsIn(undefined, links, byId([...list, extra]))).toMatchObject([{ type: 'inserted', resourceVersion: '6' }])
      }),
    )
  })

  test('tells when a row went with its link, for the next one does not fit any more', () => {
    fc.assert(
      fc.property(rows, fc.nat(), (list, seed) => {
        const links: Link[] = linksOf(genesis, list)
        const index = 1 + pick(list.slice(2), seed)
        const problems = problemsIn(undefined, links.toSpliced(index, 1), byId(list.toSpliced(index, 1)))
        expect(problems).toMatchObject([{ type: 'changed', resourceVersion: list[index + 1]!.rv }])
      }),
    )
  })
})
