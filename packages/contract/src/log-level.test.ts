import { expect, test } from 'vitest'
import { logLevelOf, withoutEscapes } from './log-level.ts'

test.each([
  ['{"level":50,"msg":"no"}', 'error'],
  ['{"level":30,"time":1,"msg":"an error in words"}', 'info'],
  ['{"severity":"WARNING","message":"x"}', 'warn'],
  ['time=2026-01-31T12:00:00Z level=debug msg="x"', 'debug'],
  ['2026-01-31 12:00:00,123 ERROR [main] x', 'error'],
  ['[warn] disk is nearly full', 'warn'],
  ['INFO:     Application startup complete.', 'info'],
  ['TypeError: x is not a function', 'error'],
  ['    at listen (/app/server.js:12:3)', 'error'],
  ['Traceback (most recent call last):', 'error'],
  ['listening on 3000', undefined],
  ['no information about an error here', undefined],
  ['', undefined],
])('%s', (line, level) => {
  expect(logLevelOf(line)).toBe(level)
})

test('escapes of terminals are taken away and nothing else', () => {
  expect(withoutEscapes('\u001b[31mred\u001b[0m [31m] \u001b]0;title\u0007x')).toBe('red [31m] x')
})
