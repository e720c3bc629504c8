import { expect, test } from 'vitest'
import { errorLine, lastWords } from './last-words.ts'

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

test.each([
  ['Node.js', ['/app/server.js:3', 'server.lisen(process.env.PORT)', '       ^', '', 'TypeError: server.lisen is not a function', '    at Object.<anonymous> (/app/server.js:3:8)', '', 'Node.js v20.20.2'], 'TypeError: server.lisen is not a function'],
  ['Node.js with properties of the error', ["Error: Cannot find module 'pg'", 'Require stack:', '- /app/server.js', '    at Module._load (node:internal:1:2)', "  code: 'MODULE_NOT_FOUND',", "  requireStack: [ '/app/server.js' ]", '}', '', 'Node.js v20.20.2'], "Error: Cannot find module 'pg'"],
  ['Node.js with a code', ['Error [ERR_MODULE_NOT_FOUND]: Cannot find package \'pg\' imported from /app/server.js', '', 'Node.js v20.20.2'], "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'pg' imported from /app/server.js"],
  ['npm around it', ['SyntaxError: Unexpected token', '', 'Node.js v20.20.2', 'npm error Lifecycle script `start` failed with error:', 'npm error code 1'], 'SyntaxError: Unexpected token'],
  ['Python', ['Traceback (most recent call last):', '  File "/app/main.py", line 1, in <module>', '    import fastapi', "ModuleNotFoundError: No module named 'fastapi'"], "ModuleNotFoundError: No module named 'fastapi'"],
  ['Ruby', ["a.rb:1:in `<main>': undefined method `no' for main:Object (NoMethodError)", "\tfrom b.rb:2:in `c'"], "a.rb:1:in `<main>': undefined method `no' for main:Object (NoMethodError)"],
  ['Go', ['panic: no database', '', 'goroutine 1 [running]:', 'main.main()', '\t/app/main.go:4 +0x1d', 'exit status 2'], 'panic: no database'],
  ['the JVM', ['Exception in thread "main" java.lang.IllegalStateException: outer', '\tat a.b.C(D.java:1)', 'Caused by: java.io.IOException: no disk', '\t... 11 more'], 'Caused by: java.io.IOException: no disk'],
  ['PHP', ['PHP Fatal error:  Uncaught Error: Call to undefined function no() in /app/a.php:1', 'Stack trace:', '#0 {main}', '  thrown in /app/a.php on line 1'], 'PHP Fatal error:  Uncaught Error: Call to undefined function no() in /app/a.php:1'],
  ['a logger', ['{"level":30,"msg":"up"}', '{"level":60,"msg":"no database"}', '{"level":30,"msg":"bye"}'], '{"level":60,"msg":"no database"}'],
  ['words only', ['reading settings', 'the database is not there', ''], 'the database is not there'],
  ['nothing but surroundings', ['Node.js v20.20.2'], 'Node.js v20.20.2'],
  ['silence', ['', ''], undefined],
])('the line of %s that says why', (_, lines, line) => {
  expect(errorLine(lines)).toBe(line)
})
