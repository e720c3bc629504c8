/** Regular expressions of matchers are RE2's; a store that matches with an engine of its own is asked only for what means the same to all. */
import type { Matcher } from '../metrics/series.ts'
import type { Labels } from './labels.ts'
import { compilePattern } from './regex/pattern.ts'

/** No flags, named groups, classes of Unicode or POSIX, and no escapes but of punctuation. */
const plainPattern = /^(?:[^\\([]|\\[^\w\s]|\((?!\?)|\(\?:|\[(?!\[))*$/

export interface Split {
  /** For the store. */
  asked: Matcher[]
  /** Whether a series that the store gave fits the others too. */
  fits: (labels: Labels) => boolean
}

export function splitMatchers(matchers: readonly Matcher[]): Split {
  const isAsked = ({ op, value }: Matcher): boolean => op === '=' || op === '!=' || plainPattern.test(value)
  const tests = matchers.filter((matcher) => !isAsked(matcher)).map(({ name, op, value }) => {
    const pattern = compilePattern(value)
    return (labels: Labels): boolean => pattern.matches(labels[name] ?? '') === (op === '=~')
  })
  return { asked: matchers.filter(isAsked), fits: (labels) => tests.every((test) => test(labels)) }
}
