import { describe, expect, test } from 'vitest'
import type { ShimRecord } from './shim.ts'
import { judge, type Evidence, type Verdict } from './verdict.ts'

const at = new Date('2026-01-31T12:00:00Z')
const evidence: Omit<Evidence, 'record'> = { at, stopping: false, overMemory: false, outOfMemoryKills: 0 }

interface Given extends Partial<Omit<Evidence, 'record'>> {
  record: Partial<ShimRecord>
}

const ended = (exit: ShimRecord['ended'], more: Omit<Given, 'record'> = {}): Given => ({ record: { pid: 7, ended: exit }, ...more })

const cases: [name: string, given: Given, verdict: { exit: object; neverRan?: Verdict['neverRan'] }][] = [
  ['an exit is told as it was', ended({ code: 3 }), { exit: { code: 3 } }],
  ['a signal too', ended({ signal: 'SIGTERM' }), { exit: { signal: 'SIGTERM' } }],
  ['a record that ends early is a SIGKILL of everything', { record: { pid: 7 } }, { exit: { signal: 'SIGKILL' } }],
  ['the kernel killed a process of the tree', ended({ code: 1 }, { outOfMemoryKills: 1 }), { exit: { code: 1, outOfMemory: true } }],
  ['a helper was killed, and the command went on well', ended({ code: 0 }, { outOfMemoryKills: 1 }), { exit: { code: 0 } }],
  ['stopped later, although a helper was killed', ended({ code: 143 }, { outOfMemoryKills: 1, stopping: true }), { exit: { code: 143 } }],
  ['killed for its memory while it was stopped', ended({ signal: 'SIGKILL' }, { outOfMemoryKills: 1, stopping: true }), { exit: { signal: 'SIGKILL', outOfMemory: true } }],
  ['the agent killed it for its memory', ended({ signal: 'SIGKILL' }, { overMemory: true }), { exit: { signal: 'SIGKILL', outOfMemory: true } }],
  ['the cgroup refused', { record: { refused: true } }, { exit: { signal: 'SIGKILL' }, neverRan: 'limits' }],
  ['the shim found no command', { record: { missing: true } }, { exit: { code: 127 }, neverRan: 'not found' }],
  ['the sandbox ended before the command began', { record: {} }, { exit: { signal: 'SIGKILL' }, neverRan: 'sandbox' }],
  ['it was stopped before the command began', { record: {}, stopping: true }, { exit: { signal: 'SIGKILL' } }],
  ['not executable', ended({ code: 126 }), { exit: { code: 126 }, neverRan: 'not executable' }],
  ['not found by the shell inside', ended({ code: 127 }), { exit: { code: 127 }, neverRan: 'not found' }],
]

describe('how a run ended', () => {
  test.each(cases)('%s', (_name, given, { exit, neverRan }) => {
    expect(judge({ ...evidence, ...given, record: { missing: false, refused: false, ...given.record } })).toEqual({ exit: { ...exit, at: at.toISOString() }, ...(neverRan && { neverRan }) })
  })
})
