import { expect, test } from 'vitest'
import { lastWords } from './last-words.ts'

test.each([
  ['the JVM', ['Exception in thread "main" java.io.IOException: no', '\tat a.b.C(D.java:1)', '\t... 11 more'], ['Exception in thread "main" java.io.IOException: no']],
  ['Node.js', ['Error: no', '    at main (/app/x.js:1:2)', '', 'Node.js v20.20.2'], ['Error: no', '', 'Node.js v20.20.2']],
  ['Ruby', ["a.rb:1:in `mkdir': Read-only file system", "\tfrom /usr/lib/ruby/fileutils.rb:221:in `block'", "\tfrom bin/rails:4:in `<main>'"], ["a.rb:1:in `mkdir': Read-only file system"]],
])('of %s come without the frames', (_, lines, words) => {
  expect(lastWords(lines, 20)).toEqual(words)
})

test('are the last ones', () => {
  expect(lastWords(['one', 'two', 'three'], 2)).toEqual(['two', 'three'])
})
