import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { environmentScript, parseRecord, quote } from './shim.ts'

describe('parseRecord', () => {
  test.each([
    ['[1] + 4711 Done(137)                  ( echo )', { code: 137 }],
    ['[1] + 4711 Done                       ', { code: 0 }],
    ['[1]+  4711 Done(3)                 "$@"', { code: 3 }],
    ['[1]+ 12949 Exit 137               ( exec "$@" )', { code: 137 }],
    ['[1] + 4711 Killed', { signal: 'SIGKILL' }],
    ['[1]+ 12966 Terminated              "$@"', { signal: 'SIGTERM' }],
    ['[1] + 4711 Segmentation fault (core dumped)', { signal: 'SIGSEGV' }],
    ['[1] + 4711 Real-time signal 6', { signal: 'SIGRTMIN+6' }],
    ['[1] + 4711 Running', undefined],
  ])('%s', (line, ended) => {
    expect(parseRecord(`pid 12\n${line}\n`)).toEqual({ pid: 12, missing: false, refused: false, ended })
  })

  test('the CPU time of children is the second of two lines', () => {
    expect(parseRecord('pid 2\n[1] + 4711 Done\n0m0.100000s 0m0.200000s\n1m0.500000s 0m0.250000s\n').cpuSeconds).toBe(60.75)
  })

  test('never throws, whatever an app writes there', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseRecord(text)))
  })
})

describe('what is quoted', () => {
  test('arrives as it was', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string().map((text) => text.replaceAll('\0', '')),
          { minLength: 1, maxLength: 5 },
        ),
        (words) => {
          const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${words.map(quote).join(' ')}`])
          expect(stdout.toString().split('\0').slice(0, -1)).toEqual(words)
        },
      ),
      { numRuns: 30 },
    )
  })

  test('leaves names that a shell cannot export to env', () => {
    expect(environmentScript({ GOOD: 'a', 'not.good': 'b', UID: '5', '': 'c', 'x=y': 'd' })).toEqual({
      script: "export GOOD='a'\n",
      leftover: ['not.good=b', 'UID=5'],
    })
  })
})
