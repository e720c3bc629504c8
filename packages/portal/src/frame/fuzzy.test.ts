import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fuzzyScore } from './fuzzy.ts'

const best = (query: string, texts: string[]): string[] =>
  texts
    .flatMap((text) => {
      const score = fuzzyScore(query, text)
      return score === undefined ? [] : [{ text, score }]
    })
    .toSorted((one, other) => other.score - one.score)
    .map(({ text }) => text)

test('the text itself, then its beginning, then a word in it, then its inside, then its letters', () => {
  expect(best('api', ['a-pretty-idea', 'capital', 'checkout-api', 'api-gateway', 'api', 'nothing'])).toEqual(['api', 'api-gateway', 'checkout-api', 'capital', 'a-pretty-idea'])
})

test('letters may be left out, but not strewn at random', () => {
  expect(best('chk', ['checkout', 'such-weak'])).toEqual(['checkout'])
  expect(fuzzyScore('xyz', 'checkout')).toBeUndefined()
})

test('several words fit in any order', () => {
  expect(best('api checkout', ['checkout-api', 'checkout-web'])).toEqual(['checkout-api'])
})

test('every part of a text finds it, and nothing typed finds everything', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 30 }), fc.nat(), fc.nat(), (text, from, length) => {
      const part = text.slice(from % text.length, (from % text.length) + 1 + (length % text.length))
      expect(fuzzyScore(part, text)).toBeDefined()
      expect(fuzzyScore('', text)).toBe(0)
    }),
  )
})
